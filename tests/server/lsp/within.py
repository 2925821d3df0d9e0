"""A server in the test's own process, for what has to happen between two of its steps."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from clients import VSCODE

from outpace_server.lsp.app import make_server

Json = dict[str, Any]


class Within:
    """Made where a loop runs. What the server asks is not answered. `experimental`: which of its own messages are
    understood; `shows`: whether documents can be."""

    def __init__(self, root: Path, settings: Json, experimental: Json | None = None, *, shows: bool = True) -> None:
        self.server = make_server()
        self.said: list[Json] = []
        self.server.protocol.set_writer(self, include_headers=False)
        folders = [{"uri": root.as_uri(), "name": root.name}]
        hidden: Json = {} if shows else {"window": {}, "workspace": {}}
        able = {**VSCODE, **hidden, "experimental": experimental or {}}
        given = {"capabilities": able, "processId": None, "workspaceFolders": folders, "rootUri": root.as_uri()}
        self.ask("initialize", {**given, "initializationOptions": {"settings": settings}})
        self.versions: dict[str, int] = {}

    def write(self, data: bytes) -> None:
        self.said.append(json.loads(data))

    def close(self) -> None:
        """A writer can be closed."""

    def send(self, message: Json) -> None:
        protocol = self.server.protocol
        body = json.dumps({"jsonrpc": "2.0", **message})
        protocol.handle_message(json.loads(body, object_hook=protocol.structure_message))

    def ask(self, method: str, params: Json) -> Any:
        id = len(self.said)
        self.send({"id": id, "method": method, "params": params})
        return next(one["result"] for one in self.said if one.get("id") == id and "method" not in one)

    def open(self, path: Path) -> str:
        uri = path.as_uri()
        self.versions[uri] = 1
        item = {"uri": uri, "languageId": "python", "version": 1, "text": path.read_text()}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        return uri

    def type(self, uri: str, text: str) -> None:
        self.versions[uri] += 1
        which = {"uri": uri, "version": self.versions[uri]}
        change = {"textDocument": which, "contentChanges": [{"text": text}]}
        self.send({"method": "textDocument/didChange", "params": change})

    def lenses(self, uri: str) -> list[str]:
        found = self.ask("textDocument/codeLens", {"textDocument": {"uri": uri}})
        return [one["command"]["title"] for one in found or []]

    def actions(self, uri: str, line: int) -> list[Json]:
        place = {"line": line, "character": 0}
        asked = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
        return self.ask("textDocument/codeAction", asked) or []
