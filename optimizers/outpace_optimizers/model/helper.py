"""The one process that imports litellm: `python -P -m outpace_optimizers.model.helper`, JSON lines in, JSON lines out.

Requests: {"op": "price", "model"} and {"op": "complete", "model", "api_base", "messages", "schema", "max_tokens",
"timeout_s"}. Replies: {"ok": {...}}, or {"error": {"kind", "message", "retry_after_s"}} with a kind: the
class of litellm's error, mostly. Keys are litellm's business: it reads them from the environment. Nothing is retried
here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import sys
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from importlib import import_module
from typing import Any

from outpace_audit.sandbox import make_undumpable
from outpace_optimizers.model.reply import REPLY_CHARACTERS

QUIET = {
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else the price map is fetched when it is imported
    "LITELLM_MODE": "PRODUCTION",  # else a `.env` of the folder is read
    "LITELLM_TELEMETRY": "False",
    "LITELLM_LOG": "ERROR",
    "DISABLE_ADMIN_UI": "True",
    "HF_HUB_OFFLINE": "1",  # no tokenizer is downloaded
    "DO_NOT_TRACK": "1",
}
MESSAGE_CHARACTERS = 500
"""Of an error: providers put whole requests into theirs."""
REFUSAL_CHARACTERS = 200
ASKED = 3
"""Ways of asking: with both, without one, without either."""
_SCHEMA = re.compile(r"response_format|json_schema|response format|structured output|guided|grammar", re.IGNORECASE)
_UNREADABLE = re.compile(r"Invalid response object|Empty or invalid response|Expecting value")
"""Of a server that answered, and may have charged for it, but not as the protocol has it."""
_FILTERED = re.compile(r"content.?(management|filter|policy)", re.IGNORECASE)
_SYSTEM = re.compile(r"system (role|message|prompt|instruction)s?\b.*\b(not|n't|only|un)", re.IGNORECASE | re.DOTALL)
MOST_TOKENS = 10**8
"""Of one call: ten times what any provider takes."""


def main() -> None:
    """Keeps stdout for itself: what a library prints goes to the log."""
    make_undumpable()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    answer = _answerer()
    for line in sys.stdin.buffer:
        out.write(json.dumps(answer(json.loads(line))).encode() + b"\n")
        out.flush()


def _answerer() -> Any:
    os.environ.update(QUIET)
    try:
        litellm = _silenced(import_module("litellm"))
    except ImportError as error:
        missing = _error("Missing", f"litellm cannot be imported ({error}): pip install 'outpace[model]'")
        return lambda request: missing  # pyright: ignore[reportUnknownVariableType]

    def answer(request: Mapping[str, Any]) -> dict[str, Any]:
        ask = {"price": _price, "complete": _complete}[request["op"]]
        try:
            return {"ok": ask(litellm, request)}
        except Exception as error:  # its providers raise what they like
            return _error(_kind(error), str(error), _retry_after(error))

    return answer


def _silenced(litellm: Any) -> Any:
    litellm.telemetry = False
    litellm.suppress_debug_info = True
    litellm.drop_params = True
    litellm.num_retries = 0
    for name in ("callbacks", "success_callback", "failure_callback", "input_callback", "service_callback"):
        setattr(litellm, name, [])
    logging.getLogger("LiteLLM").setLevel(logging.ERROR)
    return litellm


def _price(litellm: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    """Dollars per token by the map that came with the library; nulls for a model that is not in it."""
    name = request["model"]
    known = litellm.model_cost.get(name) or litellm.model_cost.get(name.partition("/")[2]) or {}
    return {
        "prompt": known.get("input_cost_per_token"),
        "reply": known.get("output_cost_per_token"),
        "reply_tokens": known.get("max_output_tokens"),
    }


def _complete(litellm: Any, request: Mapping[str, Any]) -> dict[str, Any]:
    arguments = {
        "model": request["model"],
        "messages": request["messages"],
        "max_tokens": request["max_tokens"],
        "timeout": request["timeout_s"],
        "api_base": request["api_base"],
        "num_retries": 0,
        "max_retries": 0,
    }
    answer = _asked(litellm, arguments | {"response_format": request["schema"]})
    choice, usage = next(iter(answer.choices or ()), None), getattr(answer, "usage", None)
    message, ended = getattr(choice, "message", None), getattr(choice, "finish_reason", None)
    text = _text(getattr(message, "content", None)) or _of_tools(message)
    return {
        "text": text,
        "cut": ended == "length",
        "missing": _missing(message, ended) if not text.strip() or ended == "content_filter" else "",
        "prompt_tokens": _count(getattr(usage, "prompt_tokens", None)),
        "reply_tokens": _count(getattr(usage, "completion_tokens", None), least=1 if text else 0),
    }


def _asked(litellm: Any, arguments: dict[str, Any]) -> Any:
    """Once more, and without it, where the server knows no schema (the prompt asks for JSON too), or no message of the
    system (it is put before the other)."""
    for _ in range(ASKED):
        said = ""
        try:
            answer = litellm.completion(**arguments)
        except (litellm.BadRequestError, litellm.UnprocessableEntityError) as error:
            said, refused = str(error), error
        else:
            if answer is not None:
                return answer
            refused = ValueError("the server cannot process the question (422)")  # the library gives nothing for it
        if "response_format" in arguments and (not said or _SCHEMA.search(said)):
            arguments = {name: value for name, value in arguments.items() if name != "response_format"}
        elif arguments["messages"][0]["role"] == "system" and (not said or _SYSTEM.search(said)):
            arguments = arguments | {"messages": _merged(arguments["messages"])}
        else:
            raise refused
    raise AssertionError("the last way is returned or raised")


def _merged(messages: list[dict[str, str]]) -> list[dict[str, str]]:
    system, first, *rest = messages
    return [first | {"content": f"{system['content']}\n\n{first['content']}"}, *rest]


def _text(content: object) -> str:
    """Of parts, those that are text: others are thoughts. One character more than is allowed tells that it was too
    long; halves of surrogate pairs can't be stored."""
    if isinstance(content, list):
        parts = [one for one in content if isinstance(one, dict) and one.get("type") == "text"]
        content = "".join(one["text"] for one in parts if isinstance(one.get("text"), str))
    text = content if isinstance(content, str) else ""
    return text[: REPLY_CHARACTERS + 1].encode("utf-8", "replace").decode()


def _of_tools(message: Any) -> str:
    """What was given to the one tool that was called: some servers answer a schema so."""
    calls = getattr(message, "tool_calls", None) or ()
    given = [getattr(getattr(one, "function", None), "arguments", None) for one in calls]
    return _text(given[0]) if len(given) == 1 else ""


def _missing(message: Any, ended: object) -> str:
    """Why there is no text."""
    refusal, thoughts = (_text(_field(message, name)) for name in ("refusal", "reasoning_content"))
    if refusal.strip():
        return f"the model refused: {' '.join(refusal.split())[:REFUSAL_CHARACTERS]}"
    if ended == "content_filter":
        return "the provider withheld the reply (content filter): propose another idea, in other words"
    if thoughts.strip():
        return f"the reply is {len(thoughts)} characters of thoughts and no answer: think less, and answer with JSON"
    return "the reply was cut off before it began: think less" if ended == "length" else ""


def _field(message: Any, name: str) -> object:
    """Also what the library knows no field for."""
    return getattr(message, name, None) or (getattr(message, "provider_specific_fields", None) or {}).get(name)


def _count(tokens: object, least: int = 1) -> int | None:
    """None for what no server can have counted: such a call is billed at its worst case."""
    return tokens if isinstance(tokens, int) and least <= tokens <= MOST_TOKENS else None


def _kind(error: Exception) -> str:
    """The library's class of error, but for what it has no class for, or takes for a server's fault."""
    name, said = type(error).__name__, str(error)
    if name == "InternalServerError" and _UNREADABLE.search(said):
        return "UnreadableReply"
    if name == "BadRequestError" and _FILTERED.search(said):
        return "ContentPolicyViolationError"
    status = getattr(error, "status_code", None)
    return "ServiceUnavailableError" if name == "APIError" and isinstance(status, int) and status >= 500 else name


def _retry_after(error: Exception) -> float | None:
    """Seconds, or a date."""
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    said = str(headers.get("retry-after") or "")
    with contextlib.suppress(ValueError):
        return float(said)
    with contextlib.suppress(ValueError, TypeError, OverflowError):
        return parsedate_to_datetime(said).timestamp() - time.time()
    return None


def _error(kind: str, message: str, retry_after_s: float | None = None) -> dict[str, Any]:
    short = " ".join(message.split())[:MESSAGE_CHARACTERS]
    return {"error": {"kind": kind, "message": short, "retry_after_s": retry_after_s}}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked was killed
        main()
