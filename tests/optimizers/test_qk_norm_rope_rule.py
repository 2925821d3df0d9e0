"""What `qk-norm-rope` takes for a rotation after a norm, and what it leaves alone."""

from __future__ import annotations

import pytest

from outpace_audit.records import Code
from outpace_optimizers.rules.qk_norm_rope import RULE

TEXT = """import torch
import torch.nn.functional as F


def swapped(x):
    one, two = x.chunk(2, -1)
    return torch.cat((-two, one), -1)


def queries(x, w, cos, sin, other):
    x = F.rms_norm(x, (x.size(-1),), w, 1e-6)
    x = x.transpose(1, 2)
    y = x * cos + swapped(x) * sin
    return y
"""


def proposed(text: str) -> list[str]:
    return [idea.patch.new_source for idea in RULE.propose(Code("m.py", text, "queries", "function"))]


def test_the_text_itself_is_taken() -> None:
    (new,) = proposed(TEXT)
    assert "y_turned = normed_and_turned(x.transpose(1, 2), w, cos, sin, 1e-6, strict=True)" in new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("+ swapped(x)", "- swapped(x)"),
        ("x * cos + swapped(x) * sin", "x.permute(0, 2, 1, 3) * cos + swapped(x.transpose(1, 2)) * sin"),
        ("x.transpose(1, 2)", "x.contiguous()"),
        ("x.chunk(2, -1)", "x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]"),
    ],
)
def test_other_spellings_of_it(old: str, new: str) -> None:
    assert proposed(TEXT.replace(old, new)), new


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("swapped(x) * sin", "swapped(x)"),
        ("(-two, one)", "(two, one)"),
        ("(-two, one)", "(-one, two)"),
        ("(-two, one), -1", "(-two, one), -2"),
        ("chunk(2, -1)", "chunk(2, 1)"),
        ("chunk(2, -1)", "chunk(4, -1)[:2]"),
        ("x * cos +", "cos +"),
        ("x * cos +", "x * x +"),
        ("swapped(x) * sin", "swapped(x) * sin * cos"),
        ("swapped(x) * sin", "swapped(other) * sin"),
        ("x.transpose(1, 2)", "x.transpose(2, 3)"),
        ("x.transpose(1, 2)", "x.flatten(2)"),
        ("x.transpose(1, 2)", "x.transpose(1, 2) + other"),
        ("(x.size(-1),)", "(x.size(-2), x.size(-1))"),
        ("return y", "return y, x"),
        ("    y = x", "    other += x\n    y = x"),
        ("    y = x", "    w = other\n    y = x"),
        ("    y = x", "    if other is None:\n        x = x * 2\n    y = x"),
        ("F.rms_norm(x, (x.size(-1),), w, 1e-6)", "F.layer_norm(x, (x.size(-1),), w, None, 1e-6)"),
    ],
)
def test_what_is_something_else_is_left_alone(old: str, new: str) -> None:
    assert TEXT.count(old) == 1
    assert proposed(TEXT.replace(old, new)) == [], new


def test_names_of_the_kernel_that_mean_something_else() -> None:
    assert proposed("normed_and_turned = None\n" + TEXT) == []
    assert proposed("def tiles(x): return x\n" + TEXT) == []


def test_a_file_that_has_it_is_edited_no_second_time() -> None:
    (new,) = proposed(TEXT)
    assert proposed(new) == []
