"""Our end of the helper that speaks to language models; started when it is first needed, killed when it hangs."""

from __future__ import annotations

import contextlib
import ipaddress
import json
import os
import select
import socket
import subprocess
import sys
import time
import weakref
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from outpace_audit.errors import ModelError

START_S = 60.0
"""For the first answer: importing litellm takes three to seven seconds, on a busy machine several times that."""
GRACE_S = 10.0
"""Beyond a reply's time limit, which the library should keep itself."""

HERE = ("ollama", "ollama_chat", "llamafile", "lm_studio", "vllm")
"""Providers of litellm's that are this machine where no address is named."""

Messages = Sequence[Mapping[str, str]]


class CallFailedError(ModelError):
    """One call came to nothing. `kind` is the library's class of error, or "Hung" where the helper was killed."""

    def __init__(self, kind: str, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.kind = kind
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per token, None where nobody has told; `limit` of tokens in one reply."""

    prompt: float | None
    reply: float | None
    limit: int | None

    @property
    def known(self) -> bool:
        return self.prompt is not None and self.reply is not None

    def dollars(self, prompt_tokens: int, reply_tokens: int) -> float | None:
        if self.prompt is None or self.reply is None:
            return None
        return prompt_tokens * self.prompt + reply_tokens * self.reply


@dataclass(frozen=True, slots=True)
class Answer:
    """What a model wrote. `cut`: it ran into the limit of tokens. Tokens are None where the server did not count.
    `missing`: why there is no text, where that is known."""

    text: str
    cut: bool
    prompt_tokens: int | None
    reply_tokens: int | None
    missing: str = ""


def api_base_of(model: str) -> str | None:
    """The address that the environment names for a model's provider (OLLAMA_API_BASE, OPENAI_BASE_URL); None for its
    own."""
    provider = model.partition("/")[0].upper()
    found = (os.environ.get(f"{provider}_{name}") for name in ("API_BASE", "BASE_URL"))
    return next((address for address in found if address), None)


def is_served_here(model: str) -> bool:
    """By this machine, whose processors and GPU it then computes with."""
    base = api_base_of(model)
    if base is None:
        return model.partition("/")[0] in HERE
    try:
        host = urlsplit(base if "//" in base else f"//{base}").hostname or ""
    except ValueError:
        return False
    with contextlib.suppress(ValueError):
        address = ipaddress.ip_address(host)
        return address.is_loopback or address.is_unspecified
    return host in ("localhost", socket.gethostname())


class ModelProcess:
    """Use as a context."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None
        self._unread = b""

    def __enter__(self) -> ModelProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def running(self) -> bool:
        return self._process is not None

    def close(self) -> None:
        process, self._process, self._unread = self._process, None, b""
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()

    def price(self, model: str) -> Price:
        found = self._ask({"op": "price", "model": model}, START_S)
        return Price(found["prompt"], found["reply"], found["reply_tokens"])

    def complete(
        self, model: str, messages: Messages, schema: Mapping[str, Any], max_tokens: int, timeout_s: float
    ) -> Answer:
        """Raises CallFailedError."""
        request = {
            "op": "complete",
            "model": model,
            "api_base": api_base_of(model),
            "messages": list(messages),
            "schema": schema,
            "max_tokens": max_tokens,
            "timeout_s": timeout_s,
        }
        return Answer(**self._ask(request, timeout_s + GRACE_S))

    def _ask(self, request: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        process = self._started()
        assert process.stdin is not None, "opened with a pipe"
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            process.stdin.flush()
            message = json.loads(self._line(process, limit_s))
        except (BrokenPipeError, EOFError):
            self.close()
            raise CallFailedError("Died", "the process that speaks to the model ended") from None
        except TimeoutError:
            self.close()
            raise CallFailedError("Hung", f"no answer in {limit_s:.0f} s") from None
        if "error" in message:
            error = message["error"]
            raise CallFailedError(error["kind"], error["message"], error["retry_after_s"])
        return message["ok"]

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            # -P and "/": neither the user's folder nor what lies in it is imported. stderr goes to the engine's log.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", "outpace_optimizers.model.helper"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd="/", bufsize=0,
            )  # fmt: skip
            # A thread may still wait for it when Python ends.
            weakref.finalize(self, self._process.kill)
        return self._process

    def _line(self, process: subprocess.Popen[bytes], limit_s: float) -> bytes:
        assert process.stdout is not None, "opened with a pipe"
        deadline = time.monotonic() + limit_s
        while b"\n" not in self._unread:
            if not select.select([process.stdout], [], [], max(0.0, deadline - time.monotonic()))[0]:
                raise TimeoutError
            if not (chunk := process.stdout.read(1 << 16)):
                raise EOFError
            self._unread += chunk
        line, _, self._unread = self._unread.partition(b"\n")
        return line
