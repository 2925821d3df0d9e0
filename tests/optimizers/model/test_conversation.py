"""litellm itself against a scripted server on loopback."""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from model_server import ModelServer, Raw, Refusal, Reply, Silence, idea, serving
from outpace_audit.errors import ModelError
from outpace_optimizers.model import client
from outpace_optimizers.model.client import Answer, CallFailedError, ModelProcess
from outpace_optimizers.model.conversation import Conversation, worst_case_tokens
from outpace_optimizers.model.reply import SCHEMA
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.records import ModelRequest, Spend

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
PATIENCE_S = 60.0
MESSAGES = [{"role": "system", "content": "be brief"}, {"role": "user", "content": "an idea?"}]


@dataclass
class Talk:
    """Waits for each reply."""

    conversation: Conversation
    heard: list[str]

    def ask(self, messages: list[dict[str, str]]) -> Answer:
        asking = self.conversation.begin(messages)
        assert asking.wait(PATIENCE_S, self.heard.append)
        return asking.answer()

    def spend(self) -> Spend:
        return self.conversation.spend()


@contextmanager
def talking(
    tmp_path: Path, process: ModelProcess, *replies: Reply, name: str = "openai/scripted", **limits: float
) -> Generator[tuple[Talk, ModelServer, list[str]]]:
    heard: list[str] = []
    request = ModelRequest(name, **limits)  # pyright: ignore[reportArgumentType]
    with serving(*replies) as server, pytest.MonkeyPatch.context() as patch, Spending(tmp_path) as spending:
        patch.setenv("OPENAI_API_BASE", server.url)
        yield Talk(Conversation(request, process, spending, fresh=False), heard), server, heard


def test_a_reply_is_settled_at_the_price_that_is_known(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, idea(("a", "b")), name="openai/gpt-4o") as (talk, server, _):
        assert talk.ask(MESSAGES).text == idea(("a", "b"))
        price = process.price("openai/gpt-4o")
        spend = talk.spend()
        assert price.known
        assert spend.dollars == pytest.approx(price.dollars(1000, 100))
        assert server.questions[0]["response_format"] == SCHEMA
        assert server.questions[0]["messages"] == MESSAGES


def test_without_a_price_tokens_are_counted_and_that_is_said(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, "x") as (talk, _, heard):
        talk.ask(MESSAGES)
        assert (talk.spend().dollars, talk.spend().tokens) == (None, 1100)
        assert any("no price is known for openai/scripted" in line for line in heard)


def test_the_same_question_is_not_paid_for_twice(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, "x") as (talk, server, _):
        assert talk.ask(MESSAGES).text == talk.ask(MESSAGES).text == "x"
        assert len(server.questions) == 1
        assert (talk.spend().calls, talk.spend().remembered) == (1, 1)


def test_too_many_requests_is_waited_for_and_costs_nothing(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, Refusal(429), Refusal(503), "x") as (talk, server, heard):
        assert talk.ask(MESSAGES).text == "x"
        assert len(server.questions) == 3
        assert (talk.spend().calls, talk.spend().tokens) == (1, 1100)
        assert "RateLimitError; try 2 of 4 in 0 s" in heard[1]


def test_a_refused_key_is_said_at_once(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, Refusal(401)) as (talk, server, _):
        with pytest.raises(ModelError, match="openai/scripted: AuthenticationError"):
            talk.ask(MESSAGES)
        assert len(server.questions) == 1
        assert talk.spend().tokens == 0


def test_a_server_without_schemas_is_asked_without(tmp_path: Path, process: ModelProcess) -> None:
    unknown = Refusal(400, said="response_format is not supported")
    with talking(tmp_path, process, unknown, "x", Refusal(400)) as (talk, server, _):
        assert talk.ask(MESSAGES).text == "x"
        assert "response_format" not in server.questions[1]
        with pytest.raises(ModelError, match="BadRequestError"):
            talk.ask(MESSAGES[1:])
        assert len(server.questions) == 3, "a 400 for another reason is no invitation to ask again"


def test_a_silent_server_is_given_up_and_counted_at_its_worst(
    tmp_path: Path, process: ModelProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("outpace_optimizers.model.conversation.TRIES", 1)
    with talking(tmp_path, process, Silence(), timeout_s=1.0, reply_tokens=500) as (talk, _, _):
        began = time.monotonic()
        with pytest.raises(ModelError, match="Timeout"):
            talk.ask(MESSAGES)
        assert time.monotonic() - began < 30
        assert talk.spend().tokens > 500


def test_a_helper_that_hangs_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "START_S", 0.0)
    with ModelProcess() as hanging:
        with pytest.raises(CallFailedError, match="no answer"):
            hanging.price("openai/scripted")
        assert not hanging.running


def test_no_question_is_asked_that_could_pass_a_limit(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, "x", tokens_per_run=600, reply_tokens=600) as (talk, server, _):
        with pytest.raises(ModelError, match="tokens: 0 of 600 a run"):
            talk.ask(MESSAGES)
        assert not server.questions


def test_dollars_end_it_too(tmp_path: Path, process: ModelProcess) -> None:
    with talking(tmp_path, process, "x", name="openai/gpt-4o", dollars_per_run=1e-6) as (talk, server, _):
        with pytest.raises(ModelError, match=r"money: \$0.0000 of \$0.00 a run"):
            talk.ask(MESSAGES)
        assert not server.questions


LISTEN = """
import sys
def heard(event, arguments):
    if event in ("socket.connect", "socket.getaddrinfo"):
        with open({log!r}, "a") as log:
            print(event, arguments[1] if event == "socket.connect" else arguments[0], file=log)
sys.addaudithook(heard)
"""


def test_nobody_but_the_model_is_spoken_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = tmp_path / "connections"
    (tmp_path / "sitecustomize.py").write_text(LISTEN.format(log=str(log)))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-none")
    with ModelProcess() as fresh, talking(tmp_path, fresh, "x", Refusal(500)) as (talk, _, _):
        talk.ask(MESSAGES)
        with pytest.raises(CallFailedError):
            fresh.complete("openai/scripted", MESSAGES, SCHEMA, 10, 30.0)
    lines = log.read_text().splitlines()
    assert lines, "not even the model was"
    assert not [line for line in lines if "127.0.0.1" not in line]


def test_a_missing_library_is_said_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "litellm.py").write_text("raise ImportError('no such thing')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with ModelProcess() as without, talking(tmp_path, without) as (talk, _, _):
        with pytest.raises(ModelError, match=r"pip install 'outpace\[model\]'"):
            talk.ask(MESSAGES)
        assert talk.spend().tokens == 0


def counted(prompt: int, reply: int) -> dict[str, int]:
    return {"prompt_tokens": prompt, "completion_tokens": reply}


@pytest.mark.parametrize(
    ("said", "usage", "text", "tokens"),
    [
        ("a\ud800", counted(5, 6), "a?", 11),
        ("x" * 300_000, counted(5, 6), "x" * 200_001, 11),
        (None, counted(5, 6), "", 11),
        ("a", counted(-900, 3), "a", worst_case_tokens(MESSAGES) + 3),
        ("a", counted(1 << 70, 3), "a", worst_case_tokens(MESSAGES) + 3),
        ("a", counted(5, -900), "a", 5 + 8_000),
    ],
    ids=["half-a-character", "too-long", "nothing", "negative", "astronomic", "negative-reply"],
)
def test_what_a_server_makes_up_is_neither_a_crash_nor_a_discount(
    tmp_path: Path, process: ModelProcess, said: str | None, usage: dict[str, int], text: str, tokens: int
) -> None:
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": {"content": said}}], "usage": usage}
    with talking(tmp_path, process, Raw(body)) as (talk, _, _):
        assert talk.ask(MESSAGES).text == text
        assert talk.ask(MESSAGES).text == text, "the same from what was kept"
        assert talk.spend().tokens == tokens
