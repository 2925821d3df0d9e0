"""What happens to the engine, its windows and its folders while it works, or waits for the device: here for as long as
a test lasts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from test_two_windows import HOLD, SOURCE, workspace
from wire import Json, Wire

from outpace_optimizers.engine.address import socket_of
from outpace_optimizers.workspace import Workspace

CAPABILITIES = {"window": {"workDoneProgress": True}, "workspace": {"workspaceFolders": True}}
SETTINGS = {"runOn": "save", "consent": "always", "device": "cpu", "policy": "tolerant"}
WAITING = "waiting for the device"
BUSY = "waiting for the engine: optimize small.py is running"


@pytest.fixture(autouse=True)
def busy_device(monkeypatch: pytest.MonkeyPatch) -> Generator[None]:
    """By a process of its own, in a place of its own: others on this machine may measure meanwhile."""
    with tempfile.TemporaryDirectory(prefix="outpace-", ignore_cleanup_errors=True) as runtime:
        monkeypatch.setenv("XDG_RUNTIME_DIR", runtime)
        holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        yield
        holder.kill()
        holder.wait()


class Window(Wire):
    def __init__(self, *folders: Path) -> None:
        super().__init__(lambda asked: {"result": None})
        named = [{"uri": one.as_uri(), "name": one.name} for one in folders]
        params = {"processId": None, "capabilities": CAPABILITIES, "workspaceFolders": named}
        self.ask("initialize", {**params, "initializationOptions": {"settings": SETTINGS}}, "initialize")
        self.send({"method": "initialized", "params": {}})

    def save(self, path: Path) -> None:
        item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text()}
        self.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
        self.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": path.as_uri()}}})

    def command(self, name: str, *arguments: str) -> None:
        self.ask("workspace/executeCommand", {"command": name, "arguments": list(arguments)}, f"{name} {id(arguments)}")

    def progress(self, said: str, after: int = 0) -> int:
        """Waits for a word of progress; how much was heard by then."""

        def fits(heard: Json) -> bool:
            return heard["method"] == "$/progress" and said in (heard["params"]["value"].get("message") or "")

        def found() -> Json | None:
            return next((one for one in self.heard[after:] if fits(one)), None)

        self.wait(found, said)
        return len(self.heard)

    def troubles(self) -> list[str]:
        said = [one["params"] for one in self.heard if one["method"] in ("window/logMessage", "window/showMessage")]
        return [one["message"] for one in said if one["type"] < 3]


def engine_of(path: Path) -> int | None:
    """Its process; None where there is none."""
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(str(socket_of(Workspace.of(path).state)))
            return int(json.loads(connection.makefile().readline())["hello"]["pid"])
        except (OSError, ValueError):
            return None


@pytest.mark.slow
@pytest.mark.parametrize("how", ["cancel", "the file is closed", "the editor quits"])
def test_what_is_given_up_while_the_engine_starts_again_is_over(tmp_path: Path, how: str) -> None:
    path = workspace(tmp_path / "a")
    window = Window(path.parent)
    window.save(path)
    window.progress(WAITING)
    process = engine_of(path)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    end: dict[str, Callable[[], Any]] = {
        "cancel": lambda: window.command("outpace.cancelAll"),
        "the file is closed": lambda: window.send(
            {"method": "textDocument/didClose", "params": {"textDocument": {"uri": path.as_uri()}}}
        ),
        "the editor quits": lambda: window.ask("shutdown", None, "shutdown"),
    }
    end[how]()
    if how == "the editor quits":
        window.send({"method": "exit"})
        window.process.wait(10)
        return
    heard = window.progress("cancelled")
    if how == "cancel":
        window.command("outpace.remeasure", path.as_uri())
        window.progress(WAITING, heard)
    assert window.troubles() == []
    window.close()


@pytest.mark.slow
def test_a_folder_that_is_taken_out_is_measured_no_more_and_the_others_are(tmp_path: Path) -> None:
    gone, other = workspace(tmp_path / "gone"), workspace(tmp_path / "other")
    window = Window(gone.parent, other.parent)
    window.save(gone)
    window.progress(WAITING)
    removed = {"uri": gone.parent.as_uri(), "name": "gone"}
    window.send(
        {"method": "workspace/didChangeWorkspaceFolders", "params": {"event": {"added": [], "removed": [removed]}}}
    )
    heard = window.progress("cancelled")
    window.save(other)
    window.progress(WAITING, heard)
    assert engine_of(other) is not None and window.troubles() == []
    window.close()


@pytest.mark.slow
def test_who_waits_for_another_window_goes_on_when_that_one_quits(tmp_path: Path) -> None:
    path = workspace(tmp_path / "a")
    second = path.with_name("second.py")
    second.write_text(SOURCE)
    first, waiting = Window(path.parent), Window(path.parent)
    first.save(path)
    first.progress(WAITING)
    waiting.save(second)
    heard = waiting.progress(BUSY)
    first.process.kill()
    waiting.progress(WAITING, heard)
    assert waiting.troubles() == []
    for window in (first, waiting):
        window.close()
