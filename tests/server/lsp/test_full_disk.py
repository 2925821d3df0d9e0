"""A disk without space: measurements go on, and it is said once that nothing is kept."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from planted import FASTER, plant
from pytest_lsp import ClientServerConfig

FOLDER = tempfile.TemporaryDirectory(prefix="outpace-", ignore_cleanup_errors=True)
STATE = Path(FOLDER.name) / "state"
FULL = """
mount -t tmpfs -o size=256k tmpfs "$0" && echo "*" > "$0/.gitignore" || exit 1
head -c 1M /dev/zero > "$0/fill" 2> /dev/null
exec "$@"
"""
NAMESPACE = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
SERVER = [sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"]
SOURCE = """import math
import torch


def attend(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(scores, dim=-1) @ v


def get_inputs():
    return [torch.randn(2, 8, 16) for _ in range(3)]
"""


def can_mount() -> bool:
    tried = subprocess.run([*NAMESPACE, "mount -t tmpfs tmpfs /mnt"], capture_output=True, check=False)
    return tried.returncode == 0


pytestmark = pytest.mark.skipif(not can_mount(), reason="this machine lets nobody mount in a namespace of their own")


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[*NAMESPACE, FULL, str(STATE), *SERVER],
        client_factory=Editor,
        server_env={**os.environ, "OUTPACE_STATE": str(STATE), "XDG_RUNTIME_DIR": FOLDER.name},
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


@pytest.fixture(autouse=True)
def state() -> None:
    STATE.mkdir(exist_ok=True)


@pytest.mark.slow
@pytest.mark.asyncio
async def test_measurements_go_on_and_it_is_said_once(editor: Editor, tmp_path: Path) -> None:
    path = tmp_path / "small.py"
    path.write_text(SOURCE)
    settings = {"runOn": "save", "consent": "always", "device": "cpu", "policy": "exact", "budgetSeconds": 1}
    await editor.start(tmp_path, settings, vscode_capabilities())
    uri = editor.open(path)
    for text in (SOURCE, SOURCE.replace("2, 8, 16", "2, 8, 32")):
        editor.type(uri, text)
        editor.save(uri)
        assert (await editor.progress("Optimizing small.py"))[-1] == "done"
        await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: " tried, " in said.message)
    told = [params.message for method, params in editor.unread if method == types.WINDOW_SHOW_MESSAGE]
    assert told == [f"outpace: verdicts are not kept: no space is left for {STATE}; free some"]
    assert not any("internal error" in str(params) for _, params in editor.unread)


@pytest.mark.asyncio
async def test_an_answer_holds_for_the_session(editor: Editor, tmp_path: Path) -> None:
    """Nothing is measured; that the answer could not be kept is said where it was given."""
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    await editor.start(tmp_path, {"runOn": "save"}, vscode_capabilities())
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem("Never")
    editor.save(editor.open(path))
    await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "the answer holds for this session only" in said.message)
