"""What editors, users and other programs do to the server: it keeps answering, and it ends when it should."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from planted import FASTER, SOURCE, plant
from pytest_lsp import ClientServerConfig

COMMAND = [sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"]
ENDS_S = 20.0
MESSAGES = 1500
ONE_TARGET = SOURCE.replace("def unrelated", "def _unrelated")


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.shutdown_session()


def open_document(editor: Editor, uri: str, text: str, language: str = "python") -> None:
    item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
    editor.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))


@pytest.mark.asyncio
@pytest.mark.parametrize("uri", ["untitled:Untitled-1", "vscode-remote://host/model.py", "file:///tmp/kernel.cu"])
async def test_what_cannot_be_run_is_left_alone_and_said_when_asked(editor: Editor, tmp_path: Path, uri: str) -> None:
    await editor.start(tmp_path, {"consent": "always"}, vscode_capabilities())
    open_document(editor, uri, SOURCE)
    assert await editor.actions(uri, 3, []) == []
    await editor.command("outpace.remeasure", uri)
    assert "Only Python files" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message


@pytest.mark.asyncio
async def test_a_deleted_file_is_no_target(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path)
    await editor.start(tmp_path, {"runOn": "save", "consent": "always"}, vscode_capabilities())
    uri = editor.open(path)
    path.unlink()
    editor.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "no target" in said.message)


@pytest.mark.asyncio
async def test_consent_is_asked_once_and_never_is_kept(editor: Editor, tmp_path: Path) -> None:
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem(title="Never")
    path = plant(tmp_path)
    await editor.start(tmp_path, {"runOn": "save"}, vscode_capabilities())
    uri = editor.open(path)
    editor.save(uri)
    asked = await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)
    assert [one.title for one in asked.actions] == ["Always", "This time", "Never"]
    path.write_text("x = 1\n")
    editor.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "no target" in said.message)
    assert json.loads((tmp_path / ".outpace/consent.json").read_text())["run"] == "never"
    assert not [one for one in editor.unread if one[0] == types.WINDOW_SHOW_MESSAGE_REQUEST]


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "said"),
    [({"device": "cuda"}, "CUDA"), ({"interpreter": "/nowhere/python"}, "no interpreter")],
    ids=["cuda asked for", "no interpreter"],
)
async def test_what_the_machine_lacks_is_said(
    editor: Editor, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    if "device" in settings and Path("/dev/nvidiactl").exists():
        pytest.skip("this machine has a GPU")
    await editor.start(tmp_path, {"runOn": "save", "consent": "always", **settings}, vscode_capabilities())
    path = tmp_path / "model.py"
    path.write_text(ONE_TARGET)
    editor.save(editor.open(path))
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda log: said.lower() in log.message.lower())


@pytest.mark.asyncio
async def test_a_file_written_by_another_program_before_applied_arrives(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    await editor.start(tmp_path, {"runOn": "never"}, vscode_capabilities())
    uri = editor.open(path)
    shown = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    (apply, *_) = await editor.actions(uri, 3, list(shown.diagnostics))
    resolved = await editor.code_action_resolve_async(apply)
    path.write_text("import torch\n")
    editor.type(uri, "import torch\n")  # editors read a changed file again
    await editor.command(resolved.command.command, *resolved.command.arguments)
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "not measured again" in said.message)


class Raw:
    """A server spoken to in bytes."""

    def __init__(self, root: Path, parent: int | None = None) -> None:
        self.process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self.send({"id": 0, "method": "initialize", "params": {
            "processId": parent, "rootUri": root.as_uri(), "capabilities": {},
            "initializationOptions": {"settings": {"runOn": "never", "consent": "never"}}}})  # fmt: skip
        self.answer(0)
        self.send({"method": "initialized", "params": {}})

    def send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self.process.stdin is not None
        self.process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self.process.stdin.flush()

    def answer(self, id: int) -> dict[str, Any]:
        assert self.process.stdout is not None
        while True:
            length = 0
            while line := self.process.stdout.readline().strip():
                if line.lower().startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            message = json.loads(self.process.stdout.read(length))
            if message.get("id") == id and "method" not in message:
                return message


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "dead parent"])
def test_the_server_ends_with_its_editor(tmp_path: Path, how: str) -> None:
    parent = subprocess.Popen(["sleep", "600"])
    raw = Raw(tmp_path, parent.pid)
    parent.kill()
    parent.wait()
    if how == "end of input":
        assert raw.process.stdin is not None
        raw.process.stdin.close()
    elif how == "SIGTERM":
        os.kill(raw.process.pid, signal.SIGTERM)
    raw.process.wait(ENDS_S)


def test_random_messages_leave_the_server_answering(tmp_path: Path) -> None:
    chance = random.Random(20261124)
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    uri = path.as_uri()
    raw = Raw(tmp_path)
    for number in range(1, MESSAGES):
        message: dict[str, Any] = {"method": chance.choice(METHODS), "params": anything(chance, uri, 3)}
        raw.send(message if chance.random() < 0.7 else {"id": f"r{number}", **message})
    raw.send({"id": 1, "method": "textDocument/hover", "params": {
        "textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}})  # fmt: skip
    assert "error" not in raw.answer(1)
    raw.process.kill()
    raw.process.wait()


METHODS = [
    "textDocument/didOpen", "textDocument/didChange", "textDocument/didSave", "textDocument/didClose",
    "textDocument/codeAction", "codeAction/resolve", "textDocument/codeLens", "textDocument/inlayHint",
    "textDocument/hover", "workspace/executeCommand", "workspace/didChangeConfiguration", "$/cancelRequest",
    "window/workDoneProgress/cancel", "workspace/textDocumentContent", "nonsense/method", "initialized",
]  # fmt: skip
TEXTS = [
    "",
    "\ud83d\ude80 = 1\r\n",
    "def work(x):\r\n    return x\r\n",
    "\x00",
    "(" * 300,
    SOURCE,
    SOURCE * 40,
    "é\u2028",
]


def anything(chance: random.Random, uri: str, depth: int) -> Any:
    """Parameters that are half right: the names of the protocol with values of any kind."""
    place = {"line": chance.choice([0, 3, 10**6, -1, "x"]), "character": chance.choice([0, 5, 10**9])}
    document = {"uri": chance.choice([uri, uri, "untitled:x", 7]), "version": chance.choice([1, None, "2"]),
                "languageId": "python", "text": chance.choice(TEXTS)}  # fmt: skip
    spans = {"start": place, "end": {"line": 4, "character": 1}}
    whole = {
        "textDocument": document, "position": place, "range": spans, "context": {"diagnostics": []}, "uri": uri,
        "contentChanges": [{"text": chance.choice(TEXTS), **({"range": spans} if chance.random() < 0.5 else {})}],
        "title": "t", "data": chance.choice([None, {"id": "v0", "uri": uri}, [], {"id": {}, "uri": 3}]),
        "command": chance.choice(["outpace.applied", "outpace.showAudit", "outpace.dismiss", "no.such"]),
        "arguments": chance.choice([[], [uri, "v0"], [3], None]), "settings": chance.choice([None, [], {"outpace": 3}]),
        "token": "none", "id": 5,
    }  # fmt: skip
    if chance.random() < 0.3:
        del whole[chance.choice(list(whole))]
    return whole if chance.random() < 0.9 else chance.choice([None, [], 5, "x", {}])
