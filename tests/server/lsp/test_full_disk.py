"""A disk without space: measurements go on, and it is said once that nothing is kept."""

from __future__ import annotations

import os
import shutil
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
PLANTED = Path(FOLDER.name) / "planted"
"""What a ledger knew before the disk was full."""
FULL = """
mount -t tmpfs -o size=2M tmpfs "$0" && echo "*" > "$0/.gitignore" || exit 1
cp -a "$0/../planted/." "$0"
head -c 4M /dev/zero > "$0/fill" 2> /dev/null
export XDG_RUNTIME_DIR=$(mktemp -d "$0/../run.XXXXXX")
exec "$@"
"""
"""Each server with an engine of its own: that of the test before may live for two seconds, with what it knew."""
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
        server_env={**os.environ, "OUTPACE_STATE": str(STATE)},
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


@pytest.fixture(autouse=True)
def path(tmp_path: Path) -> Path:
    """A file of which the ledger knows two changes; before the server is started."""
    second = {"interval": (1.1, 1.2), "speedup": 1.15}
    known = plant(tmp_path, ("faster-add", FASTER, {}), ("second", FASTER + "\n", second))
    STATE.mkdir(exist_ok=True)
    shutil.rmtree(PLANTED, ignore_errors=True)
    shutil.move(tmp_path / ".outpace", PLANTED)
    return known


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
async def test_an_answer_holds_for_the_session(editor: Editor, tmp_path: Path, path: Path) -> None:
    """Nothing is measured; that the answer could not be kept is said where it was given."""
    await editor.start(tmp_path, {"runOn": "save"}, vscode_capabilities())
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem("Never")
    editor.save(editor.open(path))
    await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "the answer holds for this session only" in said.message)


@pytest.mark.asyncio
async def test_dismissals_and_applied_edits_hold_for_the_session(editor: Editor, tmp_path: Path, path: Path) -> None:
    await editor.start(tmp_path, {"runOn": "never", "consent": "never"}, vscode_capabilities())
    uri = editor.open(path)
    shown = list((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics)
    await editor.command("outpace.dismiss", uri, "v1")
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "dismissed for this session only" in said.message)
    titles = [one.title for one in await editor.actions(uri, 3, shown)]
    assert any("faster-add" in title for title in titles) and not any("second" in title for title in titles)

    (apply, *_) = await editor.actions(uri, 3, shown)
    resolved = await editor.code_action_resolve_async(apply)
    editor.apply(uri, resolved.edit)
    await editor.command(resolved.command.command, *resolved.command.arguments)
    await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "can be reverted in this session only" in said.message)
    await editor.command("outpace.cancelAll")
    assert [one.title for one in await editor.actions(uri, 3, [])] == ["Revert faster-add in work"]
