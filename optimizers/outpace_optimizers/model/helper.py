"""The one process that imports litellm: `python -P -m outpace_optimizers.model.helper`, JSON lines in, JSON lines out.

Requests: {"op": "price", "model"} and {"op": "complete", "model", "api_base", "messages", "schema", "max_tokens",
"timeout_s"}. Replies: {"ok": {...}}, or {"error": {"kind", "message", "retry_after_s"}} with the class of litellm's
error as its kind. Keys are litellm's business: it reads them from the environment. Nothing is retried here.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sys
from collections.abc import Mapping
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
            return _error(type(error).__name__, str(error), _retry_after(error))

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
    try:
        answer = litellm.completion(**arguments, response_format=request["schema"])
    except litellm.BadRequestError as error:
        if "response_format" not in str(error) and "json_schema" not in str(error):
            raise
        answer = litellm.completion(**arguments)  # a server that knows no schemas: the prompt asks for JSON too
    choice, usage = next(iter(answer.choices), None), getattr(answer, "usage", None)
    return {
        "text": _text(getattr(getattr(choice, "message", None), "content", None)),
        "cut": getattr(choice, "finish_reason", None) == "length",
        "prompt_tokens": _count(getattr(usage, "prompt_tokens", None)),
        "reply_tokens": _count(getattr(usage, "completion_tokens", None)),
    }


def _text(content: object) -> str:
    """One character more than is allowed tells that it was too long; halves of surrogate pairs can't be stored."""
    text = content if isinstance(content, str) else ""
    return text[: REPLY_CHARACTERS + 1].encode("utf-8", "replace").decode()


def _count(tokens: object) -> int | None:
    """None for what no server can have counted: such a call is billed at its worst case."""
    return tokens if isinstance(tokens, int) and 0 < tokens <= MOST_TOKENS else None


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", None) or {}
    try:
        return float(headers.get("retry-after") or "")
    except (TypeError, ValueError):
        return None


def _error(kind: str, message: str, retry_after_s: float | None = None) -> dict[str, Any]:
    short = " ".join(message.split())[:MESSAGE_CHARACTERS]
    return {"error": {"kind": kind, "message": short, "retry_after_s": retry_after_s}}


if __name__ == "__main__":
    with contextlib.suppress(BrokenPipeError):  # whoever asked was killed
        main()
