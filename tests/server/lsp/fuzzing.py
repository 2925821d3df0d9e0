"""Random protocol messages over real stdio: each request is answered once, and the server goes on working.

    python tests/server/lsp/fuzzing.py [--messages 10000] [--seed 0]     which is `make fuzz`

Half-right parameters, edits of awkward texts, unknown methods, wrong order, bodies that are no messages, answers to
questions that nobody asked and nonsense for an answer to those that the server did ask. A *fault* is a request without
its one answer, an internal error, a traceback through our own code, or a server that works no longer at the end.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from clients import VSCODE
from planted import FASTER, SOURCE, plant
from wire import Json, Wire, framed

SETTINGS = {"runOn": "never", "consent": "never"}
EARLY = 50
"""Messages before `initialize`."""
BETWEEN_PINGS = 500
INTERNAL = -32603
OURS = re.compile(r'^  File "\S*outpace_server/.*', re.MULTILINE)

NOTIFICATIONS = [
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose",
    "workspace/didChangeConfiguration", "$/cancelRequest", "window/workDoneProgress/cancel", "$/setTrace",
    "workspace/didChangeWorkspaceFolders", "notebookDocument/didOpen", "notebookDocument/didChange",
    "notebookDocument/didSave", "notebookDocument/didClose",
]  # fmt: skip
REQUESTS = [
    "textDocument/codeAction", "codeAction/resolve", "textDocument/codeLens", "textDocument/inlayHint",
    "textDocument/hover", "workspace/executeCommand", "workspace/textDocumentContent",
    "outpace/report",
]  # fmt: skip
OUT_OF_PLACE = [
    "initialize",
    "initialized",
    "nonsense/method",
    "$/nonsense",
    "",
    "x" * 100_000,
    "textDocument/definition",
]
COMMANDS = ["applied", "showAudit", "dismiss", "revert", "stale", "cancelAll", "restoreDismissed", "no.such"]
TEXTS = [
    "", "\ud83d\ude80 = 1\r\n", "def work(x):\r\n    return x\r\n", "\x00", "(" * 300, SOURCE, SOURCE * 40,
    "é\u2028\f\x85", "\ud83d", "\ufeff" + SOURCE, "a\rb\n\rc", SOURCE.rstrip("\n"),
]  # fmt: skip
URIS = [
    "untitled:x",
    "vscode-vfs://github/a/model.py",
    "file:///c%3A/x/model.py",
    "file://host/model.py",
    "",
    "file:",
    "::",
]
VALUES = [
    None,
    True,
    -1,
    0,
    3,
    2**31,
    10**20,
    1e308,
    "x",
    "",
    [],
    {},
    [[]],
    {"a": {"b": [1]}},
    "\ud83d\ude80",
    "x" * 5000,
]


@dataclass(slots=True)
class Outcome:
    sent: int = 0
    seconds: float = 0.0
    codes: Counter[str] = field(default_factory=Counter[str])
    """How many requests were answered with which error, or with a result."""
    faults: list[str] = field(default_factory=list[str])


class Fuzzer:
    def __init__(self, root: Path, seed: int) -> None:
        self.chance = random.Random(seed)
        self.path = plant(root, ("faster-add", FASTER, {}))
        self.uri = self.path.as_uri()
        self.asked: list[str] = []
        """Ids of what has to be answered."""

    def next(self) -> bytes:
        """One message, as bytes."""
        kinds: list[Callable[[], bytes]] = [self.half_right, self.edit, self.out_of_place, self.no_message, self.stray]
        return self.chance.choices(kinds, weights=(70, 12, 7, 6, 5))[0]()

    def half_right(self) -> bytes:
        kind = self.chance.choice([NOTIFICATIONS, REQUESTS])
        as_it_should_be = self.chance.random() < 0.95
        return self._message(self.chance.choice(kind), (kind is REQUESTS) == as_it_should_be, params=self._params())

    def out_of_place(self) -> bytes:
        given = {} if self.chance.random() < 0.3 else {"params": self.chance.choice(VALUES)}
        return self._message(self.chance.choice(OUT_OF_PLACE), self.chance.random() < 0.5, **given)

    def edit(self) -> bytes:
        """Well-formed, and somewhere in the text or behind its end."""
        places = sorted((self.chance.randrange(60), self.chance.randrange(30)) for _ in range(2))
        start, end = ({"line": line, "character": character} for line, character in places)
        change = {"range": {"start": start, "end": end}, "text": self.chance.choice(TEXTS)}
        document = {"uri": self.uri, "version": self.chance.randrange(99)}
        params = {"textDocument": document, "contentChanges": [change]}
        return self._message("textDocument/didChange", False, params=params)

    def no_message(self) -> bytes:
        """Bodies that are no message at all, and headers that a reader has to skip."""
        body = self.chance.choice([
            b"{", b"", b"[]", b"7", b'"x"', b"null", b"{}", b"\xff\xfe", b'{"jsonrpc":"1.0","method":"x","params":{}}',
            b'{"jsonrpc":"2.0"}', b'{"jsonrpc":"2.0","id":null,"method":"textDocument/hover"}', b"[" * 50_000,
            b'{"jsonrpc":"2.0","id":[],"method":"textDocument/hover"}', b'{"jsonrpc":"2.0","method":{},"params":[]}',
            b'{"jsonrpc":"2.0","method":"textDocument/hover","params":{}}' * 2,
        ])  # fmt: skip
        before = self.chance.choice([b"", b"\r\n", b"X-Header: 1\r\n", b"Content-Type: text/plain; charset=utf-8\r\n"])
        return before + framed(body)

    def stray(self) -> bytes:
        """Answers to questions that were not asked."""
        result = self.chance.choice([
            {"result": self.chance.choice(VALUES)}, {"error": {"code": 1, "message": "no"}}, {"error": 5},
            {"error": None},
        ])  # fmt: skip
        return framed(json.dumps({"jsonrpc": "2.0", "id": self.chance.choice(["x", 1, "r5", {}]), **result}).encode())

    def reply(self, asked: Json) -> Json | None:
        """To a request of the server; never one that lets it run code of the workspace."""
        kind = self.chance.random()
        if kind < 0.2:
            return None
        if kind < 0.4:
            return {"error": self.chance.choice([{"code": -32601, "message": "not here"}, "no", {}])}
        values = (
            [value for value in VALUES if value is not None] if "showMessageRequest" not in asked["method"] else [None]
        )
        return {"result": self.chance.choice(values)}

    def _message(self, method: str, request: bool, **given: Any) -> bytes:
        message: Json = {"jsonrpc": "2.0", "method": method, **given}
        if request:
            message["id"] = f"r{len(self.asked)}"
            self.asked.append(message["id"])
        return framed(json.dumps(message).encode())

    def _params(self) -> Any:
        """The names of the protocol with values of any kind."""
        chance = self.chance
        place = {"line": chance.choice([0, 3, 3, 4, 10**6]), "character": chance.choice([0, 5, 10**9])}
        uri = chance.choice([*[self.uri] * 20, *URIS, 7])
        document: Json = {
            "uri": uri,
            "version": chance.randrange(99),
            "languageId": "python",
            "text": chance.choice(TEXTS),
        }
        spans: Json = {"start": place, "end": {"line": 4, "character": 1}}
        whole: Json = {
            "textDocument": document, "position": place, "range": spans, "uri": self.uri,
            "context": {"diagnostics": []},
            "contentChanges": [{"text": chance.choice(TEXTS), **({"range": spans} if chance.random() < 0.5 else {})}],
            "title": "t", "data": chance.choice([None, {"id": "v0", "uri": self.uri}, [], {"id": {}, "uri": 3}]),
            "command": f"outpace.{chance.choice(COMMANDS)}",
            "arguments": chance.choice([[], [self.uri, "v0"], ["v0"], [3], None, [URIS[0], "v0"]]),
            "settings": chance.choice([None, [], {"outpace": chance.choice(VALUES)}]), "value": "off",
            "event": self._folders(), **self._notebook(place), "token": "none", "id": chance.choice([5, "v0"]),
        }  # fmt: skip
        if chance.random() < 0.3:
            del whole[chance.choice(list(whole))]
        if chance.random() < 0.3:
            where = chance.choice([whole, whole, document, place, spans])
            where[chance.choice(list(where))] = chance.choice(VALUES)
        return whole if chance.random() < 0.9 else chance.choice(VALUES)

    def _folders(self) -> Json:
        uri = self.chance.choice([self.path.parent.as_uri(), *URIS, 7])
        folder = {"uri": uri, "name": self.chance.choice(["x", 7])}
        return self.chance.choice([{"added": [folder], "removed": []}, {"added": [], "removed": [folder]}, {}])

    def _notebook(self, place: Json) -> Json:
        """A notebook, its cells, and a change of both; hardly ever one that is in order."""
        chance = self.chance
        notebook = self.path.with_suffix(".ipynb").as_uri()
        cells = [f"vscode-notebook-cell:/x#W{number}" for number in range(chance.randrange(4))]
        made = [{"kind": chance.choice([1, 2, 2, 2, 9]), "document": cell} for cell in cells]
        texts = [
            {"uri": cell, "languageId": "python", "version": 1, "text": chance.choice(TEXTS)} for cell in cells
        ] * chance.choice([0, 1, 1])
        edit = {"range": {"start": place, "end": place}, "text": chance.choice(TEXTS)}
        array = {"start": chance.choice([0, 1, 99]), "deleteCount": chance.choice([0, 1, 99]), "cells": made}
        content = {"document": {"uri": "vscode-notebook-cell:/x#W0", "version": 2}, "changes": [edit]}
        change = {"cells": {"structure": {"array": array, "didOpen": texts}, "textContent": [content]}}
        which = {"uri": notebook, "notebookType": "jupyter-notebook", "version": 1, "cells": made}
        return {"notebookDocument": which, "cellTextDocuments": texts, "change": change}


def fuzz(root: Path, messages: int, seed: int) -> Outcome:
    fuzzer, outcome, began = Fuzzer(root, seed), Outcome(), time.monotonic()
    with tempfile.TemporaryFile() as log:
        wire = Wire(fuzzer.reply, log)
        try:
            _converse(wire, fuzzer, root, messages)
        except AssertionError as error:
            outcome.faults.append(f"after message {messages}: {error!r}")
        finally:
            wire.close()
        log.seek(0)
        outcome.faults += sorted(set(OURS.findall(log.read().decode("utf-8", "replace"))))
    answered = Counter(answer.get("id") for answer in wire.answers)
    outcome.faults += [f"request {id}: {answered[id]} answers" for id in fuzzer.asked if answered[id] != 1]
    outcome.faults += [f"internal error: {answer}" for answer in wire.answers if _code(answer) == INTERNAL]
    outcome.codes.update("result" if _code(answer) is None else str(_code(answer)) for answer in wire.answers)
    outcome.sent, outcome.seconds = messages, time.monotonic() - began
    return outcome


def _code(answer: Json) -> int | None:
    return answer["error"]["code"] if "error" in answer else None


def _converse(wire: Wire, fuzzer: Fuzzer, root: Path, messages: int) -> None:
    for _ in range(EARLY):
        wire.write(fuzzer.half_right())
    wire.initialize(root, SETTINGS, VSCODE)
    for number in range(messages - EARLY):
        wire.write(fuzzer.next())
        if number % BETWEEN_PINGS == 0:
            ping(wire, fuzzer.uri, f"ping {number}")
    _still_works(wire, fuzzer)


def ping(wire: Wire, uri: str, id: str) -> None:
    params = {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}
    answer = wire.ask("textDocument/hover", params, id)
    assert "error" not in answer, answer


def _still_works(wire: Wire, fuzzer: Fuzzer) -> None:
    """The offer is there again once the file is opened as it is, and the goodbye is in order."""
    document = {"uri": fuzzer.uri, "languageId": "python", "version": 1, "text": SOURCE}
    wire.send({"method": "textDocument/didClose", "params": {"textDocument": {"uri": fuzzer.uri}}})
    ping(wire, fuzzer.uri, "closed")
    wire.heard.clear()
    wire.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    wire.send(
        {"method": "workspace/executeCommand", "id": "restore", "params": {"command": "outpace.restoreDismissed"}}
    )
    wire.expect(
        "textDocument/publishDiagnostics", lambda said: [one["code"] for one in said["diagnostics"]] == ["faster-add"]
    )
    assert wire.ask("shutdown", None, "goodbye").get("result", "") is None
    assert wire.ask("textDocument/hover", {}, "too late")["error"]["code"] in (-32600, -32602)
    wire.send({"method": "exit"})
    assert wire.process.wait(20) == 0, "exit status"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        outcome = fuzz(Path(folder), args.messages, args.seed)
    print(f"{outcome.sent} messages, seed {args.seed}, {outcome.seconds:.0f} s; answers: {dict(outcome.codes)}")
    for fault in outcome.faults:
        print(f"fault: {fault}")
    return bool(outcome.faults)


if __name__ == "__main__":
    sys.exit(main())
