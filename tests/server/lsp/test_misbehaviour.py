"""What editors, users and other programs do to the server: it keeps answering, and it ends when it should."""

from __future__ import annotations

import array
import fcntl
import json
import os
import signal
import subprocess
import termios
import time
from collections.abc import AsyncGenerator, Generator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from fuzzing import fuzz
from lsprotocol import types
from planted import FASTER, SOURCE, plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND, Wire, framed

from outpace_server.lsp.app import make_server

ELSEWHERE = [
    "untitled:Untitled-1",
    "untitled:/tmp/model.py",
    "vscode-remote://ssh-remote%2Bhost/model.py",
    "vscode-vfs://github/owner/project/model.py",
    "ssh://host/model.py",
    "git:/tmp/model.py?%7B%7D",
    "file:///c%3A/Users/A%20B/model.py",
    "file:///tmp/kernel.cu",
    "untitled:kernel.cu",
]
NO_GPU = pytest.mark.skipif(Path("/dev/nvidiactl").exists(), reason="this machine has a GPU")
ENDS_S = 20.0
PIPE = 1 << 16
"""Bytes that a pipe of Linux holds."""
MESSAGES = 800
ONE_TARGET = SOURCE.replace("def unrelated", "def _unrelated")


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


@pytest.mark.asyncio
async def test_what_cannot_be_run_is_left_alone_and_said_when_asked(editor: Editor, tmp_path: Path) -> None:
    await editor.start(tmp_path, {"consent": "always"}, vscode_capabilities())
    for uri in ELSEWHERE:
        editor.show(uri, SOURCE)
        editor.type(uri, FASTER)
        editor.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))
        assert await editor.actions(uri, 3, []) == []
        assert await editor.left() == []
        await editor.command("outpace.remeasure", uri)
        why = "CUDA source is not measured by itself" if uri.endswith(".cu") else "Only Python files"
        assert why in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message


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
    assert json.loads((tmp_path / ".outpace/consent.json").read_text())["value"] == "never"
    assert not [one for one in editor.unread if one[0] == types.WINDOW_SHOW_MESSAGE_REQUEST]


@pytest.mark.asyncio
async def test_the_status_says_that_an_answer_is_waited_for(editor: Editor, tmp_path: Path) -> None:
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem(title="Never")
    capabilities = vscode_capabilities()
    capabilities.experimental = {"outpaceStatus": True}
    path = plant(tmp_path)
    await editor.start(tmp_path, {"runOn": "save"}, capabilities)
    for _ in range(2):  # once its settings are known, and once it is ready
        assert (await editor.expect("outpace/status")).message == "idle"
    editor.save(editor.open(path))
    assert (await editor.expect("outpace/status", lambda one: one.message == "waiting for consent")).quiescent
    assert (await editor.expect("outpace/status", lambda one: one.message == "idle")).quiescent
    assert not any(one.quiescent for method, one in editor.unread if method == "outpace/status")


def test_an_editor_that_cannot_ask_says_how_to_allow_it(tmp_path: Path) -> None:
    """As Helix does (helix-editor/helix#4699)."""
    wire = Wire(lambda asked: {"error": {"code": -32601, "message": "Method not found"}})
    path = plant(tmp_path)
    wire.initialize(tmp_path, {"runOn": "save"})
    document = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": SOURCE}
    wire.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
    wire.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": path.as_uri()}}})
    wire.expect("window/showMessage", lambda said: "set `consent` to `always`" in said["message"])
    wire.close()


def replaced(path: Path, text: str) -> None:
    """By another program, in one step: a file that is written into changes several times, and the watcher may tell the
    last of it late on a busy machine."""
    made = path.with_suffix(".new")
    made.write_text(text)
    made.replace(path)


@pytest.mark.asyncio
async def test_a_window_left_alone_measures_nothing_until_somebody_is_back(editor: Editor, tmp_path: Path) -> None:
    """Two files that are no targets, which is said as soon as one is taken up."""

    async def said(words: str) -> str:
        return (await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: words in said.message)).message

    left, other = tmp_path / "left.py", tmp_path / "other.py"
    for path in (left, other):
        path.write_text("x = 1\n")
    await editor.start(tmp_path, {"runOn": "save", "consent": "never", "idleMinutes": 1e-9}, vscode_capabilities())
    uri = editor.open(left)
    editor.open(other)
    await editor.expect(types.WORKSPACE_CONFIGURATION)
    assert await editor.left() == []
    replaced(left, "x = 2\n")
    assert (await said("once somebody is back")).startswith("left.py")

    editor.answers[types.WORKSPACE_CONFIGURATION] = [{"idleMinutes": 30}]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(None))
    await editor.expect(types.WORKSPACE_CONFIGURATION)
    assert await editor.left() == await editor.left() == []
    replaced(other, "x = 2\n")
    assert (await said("no target")).startswith("other.py")

    assert await editor.actions(uri, 0, []) == []
    assert (await said("no target")).startswith("left.py")
    assert await editor.left() == []


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("settings", "said"),
    [
        pytest.param({"device": "cuda"}, "CUDA", marks=NO_GPU),
        ({"interpreter": "/nowhere/python"}, "no interpreter"),
    ],
    ids=["cuda asked for", "no interpreter"],
)
async def test_what_the_machine_lacks_is_said(
    editor: Editor, tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
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


@pytest.mark.parametrize("how", ["end of input", "SIGTERM", "dead parent"])
def test_the_server_ends_with_its_editor(tmp_path: Path, how: str) -> None:
    parent = subprocess.Popen(["sleep", "600"])
    wire = Wire()
    wire.initialize(tmp_path, {"runOn": "never", "consent": "never"}, parent=parent.pid)
    parent.kill()
    parent.wait()
    if how == "end of input":
        wire.hang_up()
    elif how == "SIGTERM":
        os.kill(wire.process.pid, signal.SIGTERM)
    wire.process.wait(ENDS_S)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_the_server_of_an_editor_that_goes_on(tmp_path: Path, number: signal.Signals) -> None:
    wire = Wire()
    wire.initialize(tmp_path, {"runOn": "never", "consent": "never"}, parent=os.getpid())
    hover = {"textDocument": {"uri": "file:///x.py"}, "position": {"line": 0, "character": 0}}
    assert "error" not in wire.ask("textDocument/hover", hover, "alive")
    os.kill(wire.process.pid, number)
    wire.process.wait(ENDS_S)


def test_random_messages_leave_the_server_answering(tmp_path: Path) -> None:
    """The whole of it, 10,000 messages, is `make fuzz`."""
    outcome = fuzz(tmp_path, MESSAGES, seed=20261124)
    assert outcome.faults == []
    assert outcome.codes["result"] > MESSAGES // 10, "most are refused unread, so little was tried"


def test_what_comes_at_the_wrong_time_is_refused(tmp_path: Path) -> None:
    wire = Wire()
    hover = {"textDocument": {"uri": "file:///x.py"}, "position": {"line": 0, "character": 0}}
    assert wire.ask("textDocument/hover", hover, "early")["error"]["code"] == types.ErrorCodes.ServerNotInitialized
    wire.initialize(tmp_path, {})
    again = wire.ask("initialize", {"processId": None, "rootUri": None, "capabilities": {}}, "again")
    assert again["error"]["code"] == types.ErrorCodes.InvalidRequest
    assert wire.ask("textDocument/hover", {"position": 3}, "wrong")["error"]["code"] == types.ErrorCodes.InvalidParams
    wire.ask("shutdown", None, "end")
    assert wire.ask("textDocument/hover", hover, "late")["error"]["code"] == types.ErrorCodes.InvalidRequest
    wire.close()


def test_nothing_stays_of_a_notification() -> None:
    protocol: Any = make_server().protocol
    answered: list[object] = []

    def of_a_key() -> Generator[None]:
        yield from ()

    protocol._execute_handler("a key", of_a_key, answered.append)
    assert len(answered) == 1
    assert not protocol._request_futures


def test_a_message_is_whole_where_the_server_was_stopped_in_the_midst_of_it() -> None:
    """As by a laptop that sleeps, or Ctrl+Z; unbuffered, as in most containers."""
    id = "long" * 50_000
    asked = framed(json.dumps({"jsonrpc": "2.0", "id": id, "method": "nothing"}).encode())
    unbuffered = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=unbuffered) as server:
        assert server.stdin is not None
        assert server.stdout is not None
        server.stdin.write(asked)
        server.stdin.flush()
        latest = time.monotonic() + ENDS_S
        while unread(server.stdout.fileno()) < PIPE and time.monotonic() < latest:
            time.sleep(0.01)
        server.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, server.pid, os.WSTOPPED | os.WNOWAIT)
        server.send_signal(signal.SIGCONT)
        server.stdin.close()
        head, _, body = server.stdout.read().partition(b"\r\n\r\n")
    assert head.startswith(b"Content-Length: %d\r\n" % len(body))
    assert json.loads(body)["id"] == id


def unread(descriptor: int) -> int:
    found = array.array("i", [0])
    fcntl.ioctl(descriptor, termios.FIONREAD, found)
    return found[0]
