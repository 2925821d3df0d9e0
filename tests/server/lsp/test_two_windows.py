"""Two workspaces with an engine each on one device: each says whom it waits for."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from pytest_lsp import ClientServerConfig
from wire import COMMAND

RUNTIME = tempfile.TemporaryDirectory(prefix="outpace-", ignore_cleanup_errors=True)
"""Others on this machine may measure meanwhile; a socket's path must be short."""
HOLD = """
import time
from outpace_audit.lease import device_lease
from outpace_audit.records import Machine
machine = Machine("cpu", "", "", "", 2, "", "", None, None, None)
with device_lease(machine, "mlp.py", lambda text: None):
    print("held", flush=True)
    time.sleep(600)
"""
SOURCE = """import math
import torch


def attend(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(scores, dim=-1) @ v


def get_inputs():
    return [torch.randn(2, 8, 16) for _ in range(3)]
"""


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=COMMAND, client_factory=Editor, server_env={**os.environ, "XDG_RUNTIME_DIR": RUNTIME.name}
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


class Command:
    """`outpace optimize` in a terminal, with the engine of its own workspace."""

    def __init__(self, path: Path) -> None:
        command = [*COMMAND[:-2], "optimize", str(path), "--device", "cpu", "--skip", "torch-compile"]
        self._process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env={**os.environ, "XDG_RUNTIME_DIR": RUNTIME.name}
        )
        self.lines: list[str] = []
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self.lines.append(line.strip())

    def interrupt(self) -> int:
        self._process.send_signal(signal.SIGINT)
        return self._process.wait(20)


def workspace(folder: Path) -> Path:
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    (folder / "small.py").write_text(SOURCE)
    return folder / "small.py"


async def until(true: Any) -> None:
    async with asyncio.timeout(120):
        while not true():
            await asyncio.sleep(0.1)


@pytest.mark.slow
@pytest.mark.asyncio
async def test_editor_and_command_say_whom_they_wait_for(editor: Editor, tmp_path: Path) -> None:
    environment = {**os.environ, "XDG_RUNTIME_DIR": RUNTIME.name}
    holder = subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True, env=environment)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    first = f"waiting for the device: mlp.py (process {holder.pid}) is measuring on it"
    capabilities = vscode_capabilities()
    capabilities.experimental = {"outpaceStatus": True}
    ours, theirs = workspace(tmp_path / "a"), workspace(tmp_path / "b")
    settings = {"runOn": "save", "consent": "always", "device": "cpu", "policy": "tolerant"}
    await editor.start(ours.parent, settings, capabilities)
    command = Command(theirs)
    editor.save(editor.open(ours))

    assert (await editor.expect("outpace/status", lambda one: "device" in one.message)).message == first
    await editor.expect(types.PROGRESS, lambda one: _message(one) == first)
    await until(lambda: first in command.lines)
    holder.kill()
    holder.wait()

    def said() -> set[str]:
        ours_said = {one.message for method, one in editor.unread if method == "outpace/status"}
        return {text for text in {*ours_said, *command.lines} if "the device: attend in" in text}

    await until(said)
    (text,) = said()
    assert text.startswith("waiting for the device: attend in ") and text.endswith(") is measuring on it")
    await editor.command("outpace.cancelAll")
    assert command.interrupt() in (0, 130), "it may have ended by itself"


def _message(params: Any) -> str:
    value = params.value
    return str(value.get("message") if isinstance(value, dict) else value.message)
