from __future__ import annotations

import pytest

from outpace_optimizers.model.scrubbing import REMOVED, scrubbed

KEY = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\nIBAAKC\n-----END RSA PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("key = 'sk-proj-abcdefghijklmnop1234'", "abcdefghijklmnop"),
        ('api_key: str = "correct horse battery"', "correct horse"),
        ("PASSWORD='hunter2hunter2'", "hunter2"),
        ("""config = {"db_password": "s3cr3t-value"}""", "s3cr3t"),
        ("""os.environ.setdefault("WANDB_TOKEN", "0123456789abcdef")""", "0123456789"),
        ("# ghp_0123456789abcdefghij0123456789abcdef", "ghp_"),
        ("login(hf_abcdefghijABCDEFGHIJ0123)", "hf_abc"),
        ("aws = AKIAIOSFODNN7EXAMPLE", "AKIA"),
        (f"pem = '''{KEY}'''", "MIIEow"),
        ("url = 'postgres://me:sesame@db.example/x'", "sesame"),
        ("Authorization: Bearer abcdefghijklmnopqrst", "abcdefgh"),
        ("t = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc'", "eyJh"),
        ("x = 'only-in-the-environment'", "only-in-the-environment"),
    ],
)
def test_a_secret_is_taken_out(text: str, secret: str) -> None:
    clean = scrubbed(text, {"MY_SECRET": "only-in-the-environment", "HOME": "x"})
    assert secret not in clean
    assert REMOVED in clean


@pytest.mark.parametrize(
    "text",
    [
        "def forward(self, key, query, value):\n    return (query @ key.transpose(-2, -1)) @ value",
        "tokens = tokenizer(text)['input_ids']; n_tokens = 4096",
        'F.pad(x, (0, 1), mode="constant")',
        "key_padding_mask = mask",
        "https://github.com/a/b",
    ],
)
def test_code_stays_as_it_is(text: str) -> None:
    assert scrubbed(text, {}) == text
