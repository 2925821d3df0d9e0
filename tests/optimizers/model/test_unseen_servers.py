"""Servers as they differ: what ends a reply, what is left out of it, what is refused. litellm itself, on loopback."""

from __future__ import annotations

import importlib.util
import json
from email.utils import formatdate
from pathlib import Path
from typing import Any

import pytest
from test_search import FACTS, SOURCE, verdict

from model_server import ModelServer, Plain, Raw, Refusal, Reply, idea, serving
from outpace_audit.records import Check, Code, Idea, Workload
from outpace_optimizers.model.client import ModelProcess
from outpace_optimizers.model.conversation import Conversation, worst_case_tokens
from outpace_optimizers.model.search import ModelSearch
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.model.surroundings import Surroundings
from outpace_optimizers.records import ModelRequest, Spend, Target, Trial

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("litellm") is None, reason="litellm is not installed: pip install 'outpace[model]'"
)
WON = idea(("x + 1", "x.add(1)"), title="one call")
SLOW = Check("speedup", "L4", False, "no faster")
USAGE = {"prompt_tokens": 7, "completion_tokens": 5, "total_tokens": 12}


def searched(
    folder: Path, process: ModelProcess, *replies: Reply, name: str = "openai/scripted", by: Any = None
) -> tuple[str, list[Trial], ModelServer, Spend, list[str]]:
    """Why it stopped, trials, the server, what was spent, and why answers led to no trial."""
    tried: list[Trial] = []
    target = Target(
        Code(str(folder / "work.py"), SOURCE, "work", "function"), (Workload("w", "get_inputs", "declared"),)
    )

    def judged(one: Idea) -> Trial:
        tried.append(Trial(f"t{len(tried)}", "work", one, verdict(SLOW), "", ""))
        return tried[-1]

    around = Surroundings(lambda: tried, judged, lambda: "", lambda text: None)
    request = ModelRequest(name, ahead=False)
    with serving(*replies, by=by) as server, pytest.MonkeyPatch.context() as patch, Spending(folder) as books:
        for provider in ("OPENAI", "ANTHROPIC", "OLLAMA_CHAT"):
            patch.setenv(f"{provider}_API_BASE", server.url)
        search = ModelSearch(request, target, FACTS, Conversation(request, process, books, fresh=False), around)
        return search.run(), tried, server, search.spend(), search.troubles


def said(finish: str | None = "stop", usage: dict[str, Any] | None = USAGE, **message: Any) -> Raw:
    choice = {"index": 0, "finish_reason": finish, "message": {"role": "assistant", "content": None} | message}
    return Raw({"choices": [choice], "usage": usage})


def called(*arguments: str) -> list[dict[str, Any]]:
    return [{"id": "1", "type": "function", "function": {"name": "idea", "arguments": one}} for one in arguments]


TAKEN = {
    "thoughts beside it": said(content=WON, reasoning_content="Let me see. {}"),
    "a call of a tool": said("tool_calls", tool_calls=called(WON)),
    "no reason to end": said(None, content=WON),
    "a reason that nobody knows": said("eos_token", content=WON),
    "blanks up to the limit": said("length", content=WON + "\n" * 90),
}


@pytest.mark.parametrize("reply", TAKEN.values(), ids=TAKEN.keys())
def test_an_idea_is_found_where_servers_put_it(tmp_path: Path, process: ModelProcess, reply: Raw) -> None:
    _, tried, _, spend, troubles = searched(tmp_path, process, reply)
    assert [trial.idea.title for trial in tried] == ["one call (by openai/scripted)"], troubles
    assert (spend.calls, spend.tokens) == (1, 12)


NOT_TAKEN = {
    "cut off": (said("length", content=WON[:-9]), "was cut off"),
    "thoughts up to the limit": (said("length", content="", reasoning_content="hm " * 50), "characters of thoughts"),
    "a refusal": (said(refusal="I can't help with that."), "the model refused: I can't help"),
    "a filter": (said("content_filter", content=""), "withheld the reply"),
    "two tools": (said("tool_calls", tool_calls=called(WON, WON)), "the reply is empty"),
    "nothing": (said(content=""), "the reply is empty"),
}


@pytest.mark.parametrize(("reply", "why"), NOT_TAKEN.values(), ids=NOT_TAKEN.keys())
def test_what_is_none_is_told_to_the_model_and_paid_for_once(
    tmp_path: Path, process: ModelProcess, reply: Raw, why: str
) -> None:
    _, tried, server, _, _ = searched(tmp_path, process, reply, WON)
    assert len(tried) == 1 and why in server.prompts[1]
    assert all(message["content"].strip() for message in server.questions[1]["messages"])
    _, again, later, spend, _ = searched(tmp_path, process)
    assert len(again) == 1 and (spend.calls, spend.remembered) == (0, 2)
    assert len(later.questions) == 1, "the third question alone is new"


def test_a_question_that_a_filter_stops_is_no_end(tmp_path: Path, process: ModelProcess) -> None:
    body = {
        "error": {"message": "The response was filtered due to content management policy.", "code": "content_filter"}
    }
    stopped = Plain(json.dumps(body), 400)
    _, tried, server, spend, troubles = searched(tmp_path, process, stopped, WON)
    assert len(tried) == 1, troubles
    assert "filter did not let the question through" in server.prompts[1]
    assert spend.tokens == 1100


def refused(status: int, message: str, **headers: str) -> Plain:
    return Plain(json.dumps({"error": {"message": message, "type": "invalid_request_error"}}), status, headers)


TOO_LONG = refused(400, "This model's maximum context length is 4096 tokens. However, your messages resulted in 9000.")


def test_a_repair_that_does_not_fit_is_left_and_the_next_idea_asked_for(tmp_path: Path, process: ModelProcess) -> None:
    stop, tried, server, spend, _ = searched(tmp_path, process, "prose", TOO_LONG, WON)
    assert len(tried) == 1 and len(server.questions[2]["messages"]) == 2
    assert spend.tokens == 2 * 1100
    assert "AuthenticationError" in stop and "is the key in the environment" in stop


def test_a_first_question_that_does_not_fit_says_what_to_do(tmp_path: Path, process: ModelProcess) -> None:
    stop, tried, _, spend, _ = searched(tmp_path, process, TOO_LONG, WON)
    assert not tried and "with a longer context" in stop
    assert spend.tokens == 0


def test_a_reply_limit_that_a_model_has_not_says_what_to_set(tmp_path: Path, process: ModelProcess) -> None:
    stop, *_ = searched(tmp_path, process, refused(400, "max_tokens is too large: 8000. At most 4096 are supported."))
    assert "model-reply-tokens" in stop


@pytest.mark.parametrize("status", [400, 422])
def test_a_server_without_schemas_or_without_a_system_is_asked_without(
    tmp_path: Path, process: ModelProcess, status: int
) -> None:
    def answer(question: dict[str, Any]) -> Reply:
        if "response_format" in question:
            return refused(status, "body.response_format: unknown")
        if question["messages"][0]["role"] == "system":
            return refused(400, "System role not supported")
        return WON if "one call" not in question["messages"][-1]["content"] else Refusal(401)

    _, tried, server, spend, troubles = searched(tmp_path, process, by=answer)
    assert len(tried) == 1, troubles
    (only,) = next(one["messages"] for one in server.questions if len(one["messages"]) == 1)
    assert only["role"] == "user" and "Answer with one JSON object" in only["content"]
    assert spend.tokens == 1100


def test_a_server_says_when_to_come_back_as_a_date_too(tmp_path: Path, process: ModelProcess) -> None:
    limited = Plain(json.dumps({"error": {"message": "slow down"}}), 429, {"Retry-After": formatdate(0, usegmt=True)})
    _, tried, server, spend, troubles = searched(tmp_path, process, limited, Refusal(529), Refusal(500), WON)
    assert len(tried) == 1, troubles
    assert len(server.questions) == 5 and spend.tokens == 1100


CHUNK = {"id": "1", "object": "chat.completion.chunk", "choices": [{"index": 0, "delta": {"content": "{"}}]}
UNREADABLE = {
    "a stream": Plain(f"data: {json.dumps(CHUNK)}\n\ndata: [DONE]\n\n", 200, {"Content-Type": "text/event-stream"}),
    "no JSON": Plain("<html>Welcome</html>"),
    "a list for a text": said(content=[{"type": "text", "text": WON}]),
}


@pytest.mark.parametrize("reply", UNREADABLE.values(), ids=UNREADABLE.keys())
def test_what_is_no_completion_is_asked_for_once_and_counted(
    tmp_path: Path, process: ModelProcess, reply: Reply
) -> None:
    stop, tried, server, spend, _ = searched(tmp_path, process, reply)
    assert not tried and "in another way than the protocol has it" in stop
    assert len(server.questions) == 1
    assert spend.tokens > ModelRequest("a/b").reply_tokens


def test_without_usage_the_worst_is_counted(tmp_path: Path, process: ModelProcess) -> None:
    _, tried, server, spend, _ = searched(tmp_path, process, said(content=WON, usage=None))
    assert len(tried) == 1
    assert spend.tokens == worst_case_tokens(server.questions[0]["messages"]) + ModelRequest("a/b").reply_tokens


def test_anthropic_is_spoken_to_in_its_own_way(tmp_path: Path, process: ModelProcess, monkeypatch: Any) -> None:
    body = {
        "id": "m", "type": "message", "role": "assistant", "model": "claude", "stop_reason": "end_turn",
        "content": [{"type": "text", "text": f"Here it is:\n{WON}"}], "usage": {"input_tokens": 7, "output_tokens": 5},
    }  # fmt: skip
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-none")
    with ModelProcess() as fresh:
        _, tried, _, spend, troubles = searched(
            tmp_path, fresh, Plain(json.dumps(body)), name="anthropic/claude-sonnet-4-5"
        )
    assert len(tried) == 1, troubles
    assert spend.tokens == 12 and spend.dollars


def test_ollama_is_spoken_to_in_its_own_way(tmp_path: Path, process: ModelProcess) -> None:
    body = {
        "model": "qwen3", "created_at": "2026-01-01T00:00:00Z", "done": True, "done_reason": "stop",
        "message": {"role": "assistant", "content": f"<think>\nhm\n</think>\n{WON}"},
        "prompt_eval_count": 7, "eval_count": 5,
    }  # fmt: skip
    _, tried, _, spend, troubles = searched(tmp_path, process, Plain(json.dumps(body)), name="ollama_chat/qwen3")
    assert len(tried) == 1, troubles
    assert spend.tokens == 12
