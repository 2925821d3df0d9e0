"""A language model's server for tests: the OpenAI protocol over loopback HTTP, with replies in the order given."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Refusal:
    """A status without a reply. `after`: the header Retry-After, in seconds."""

    status: int
    after: str = "0"
    said: str = "refused"


@dataclass(frozen=True)
class Silence:
    """No answer until the server ends. `heard` is set when the question is there."""

    heard: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Raw:
    """The body of a completion: what is missing is as in others."""

    body: dict[str, Any]


@dataclass(frozen=True)
class Plain:
    """A body as it is, of whatever protocol."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True)
class Held:
    """A reply that is held back until `go` is set. `heard` is set when the question is there."""

    text: str
    heard: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)


Reply = str | Refusal | Silence | Raw | Plain | Held


@dataclass
class ModelServer:
    replies: Sequence[Reply] | Callable[[dict[str, Any]], Reply]
    """In the order of the questions, or what answers each."""
    questions: list[dict[str, Any]] = field(default_factory=list)
    url: str = ""
    ended: threading.Event = field(default_factory=threading.Event)

    def next(self, question: dict[str, Any]) -> Reply:
        self.questions.append(question)
        if callable(self.replies):
            return self.replies(question)
        number = len(self.questions) - 1
        return self.replies[number] if number < len(self.replies) else Refusal(401)

    @property
    def prompts(self) -> list[str]:
        """The last message of each question."""
        return [question["messages"][-1]["content"] for question in self.questions]


@contextmanager
def serving(*replies: Reply, by: Callable[[dict[str, Any]], Reply] | None = None) -> Generator[ModelServer]:
    """After the last reply every question is refused with 401, which ends a search. `by` answers in place of a list."""
    served = ModelServer(by or replies)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            reply = served.next(question)
            if isinstance(reply, Silence):
                reply.heard.set()
                served.ended.wait(60)
            elif isinstance(reply, Held):
                reply.heard.set()
                if reply.go.wait(60):
                    self._send(200, _completion(question["model"], reply.text), "")
            elif isinstance(reply, Refusal):
                self._send(reply.status, {"error": {"message": reply.said, "type": "refused"}}, reply.after)
            elif isinstance(reply, Plain):
                self._write(reply.status, reply.body.encode(), reply.headers)
            elif isinstance(reply, Raw):
                self._send(200, _completion(question["model"], "") | reply.body, "")
            else:
                self._send(200, _completion(question["model"], reply), "")

        def _send(self, status: int, body: dict[str, Any], after: str) -> None:
            self._write(status, json.dumps(body).encode(), {"Retry-After": after} if after else {})

        def _write(self, status: int, data: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            headers = {"Content-Type": "application/json", "Content-Length": str(len(data))} | headers
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    served.url = f"http://127.0.0.1:{server.server_port}/v1"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield served
    finally:
        served.ended.set()
        server.shutdown()
        server.server_close()


def _completion(model: str, text: str) -> dict[str, Any]:
    return {
        "id": "scripted",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text}}],
        "usage": {"prompt_tokens": 1000, "completion_tokens": 100, "total_tokens": 1100},
    }


def idea(*edits: tuple[str, str], title: str = "an idea", numerics: str = "tolerant") -> str:
    """A well-formed reply."""
    blocks = [{"search": search, "replace": replace} for search, replace in edits]
    return json.dumps({"title": title, "rationale": "fewer calls", "numerics": numerics, "edits": blocks})
