"""A server spoken to in bytes, with nothing between it and the test."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any

COMMAND = [sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"]
PATIENCE_S = 60.0
Json = dict[str, Any]


def framed(body: bytes) -> bytes:
    return b"Content-Length: %d\r\n\r\n%s" % (len(body), body)


class Wire:
    """Reads and writes in threads of their own: neither side ever waits for a full pipe that the other does not read.
    `reply` answers the server's requests; None: no reply."""

    def __init__(self, reply: Callable[[Json], Json | None] = lambda asked: None, log: IO[bytes] | None = None) -> None:
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log or subprocess.DEVNULL
        )
        self.answers: list[Json] = []
        self.heard: list[Json] = []
        """Notifications and requests of the server."""
        self._ended = False
        self._reply = reply
        self._arrived = threading.Condition()
        self._to_write: SimpleQueue[bytes] = SimpleQueue()
        for work in (self._read, self._write):
            threading.Thread(target=work, daemon=True).start()

    def initialize(
        self, root: Path, settings: Json, capabilities: Json | None = None, parent: int | None = None
    ) -> None:
        params = {
            "processId": parent,
            "rootUri": root.as_uri(),
            "capabilities": capabilities or {},
            "initializationOptions": {"settings": settings},
        }
        assert "error" not in self.ask("initialize", params, "initialize")
        self.send({"method": "initialized", "params": {}})

    def send(self, message: Json) -> None:
        self.write(framed(json.dumps({"jsonrpc": "2.0", **message}).encode()))

    def write(self, data: bytes) -> None:
        self._to_write.put(data)

    def ask(self, method: str, params: Any, id: int | str) -> Json:
        self.send({"id": id, "method": method, "params": params})
        return self.wait(
            lambda: next((one for one in self.answers if one.get("id") == id), None), f"answer to {method}"
        )

    def expect(self, method: str, fits: Callable[[Any], bool]) -> Json:
        return self.wait(
            lambda: next((one for one in self.heard if one["method"] == method and fits(one["params"])), None), method
        )

    def wait(self, found: Callable[[], Json | None], what: str) -> Json:
        with self._arrived:
            self._arrived.wait_for(lambda: self._ended or found() is not None, PATIENCE_S)
            answer = found()
        assert answer is not None, f"no {what} came{' before the end' * self._ended}"
        return answer

    def hang_up(self) -> None:
        """Ends the server's input."""
        self.write(b"")

    def close(self) -> None:
        self.process.kill()
        self.process.wait()

    def _write(self) -> None:
        pipe = self.process.stdin
        assert pipe is not None
        with contextlib.suppress(BrokenPipeError), pipe:
            while data := self._to_write.get():
                pipe.write(data)
                pipe.flush()

    def _read(self) -> None:
        out = self.process.stdout
        assert out is not None
        while header := out.readline():
            length = int(header.split(b":")[1])
            while out.readline().strip():
                pass
            self._hear(json.loads(out.read(length)))
        with self._arrived:
            self._ended = True
            self._arrived.notify_all()

    def _hear(self, message: Json) -> None:
        with self._arrived:
            (self.heard if "method" in message else self.answers).append(message)
            self._arrived.notify_all()
        if "method" in message and "id" in message and (reply := self._reply(message)) is not None:
            self.send({"id": message["id"], **reply})
