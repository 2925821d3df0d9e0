"""The commands of a night in an editor: its page, and letting it rest."""

from __future__ import annotations

import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import PROFILES, Editor, capabilities_of
from lsprotocol import types
from pytest_lsp import ClientServerConfig
from wire import Wire

from outpace_optimizers.overnight.journal import Journal
from outpace_optimizers.overnight.records import Place
from outpace_optimizers.workspace import Workspace

SETTINGS: dict[str, Any] = {"runOn": "never", "consent": "never"}
PLACE = Place("/p/work.py", "work", "work.py: work")


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def plant_night(folder: Path) -> None:
    workspace = Workspace(folder)
    workspace.prepare()
    with Journal(workspace.state) as journal:
        name, _ = journal.begin("subject", str(folder), "", 3600.0, fresh=False)
        journal.add(name, 1.0, "stop", PLACE, {"reason": "plateau: 8 ideas", "done": True})


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_the_page_is_shown_and_background_work_rests(editor: Editor, tmp_path: Path, profile: str) -> None:
    await editor.start(tmp_path, SETTINGS, capabilities_of(profile))
    await editor.command("outpace.showProgress")
    assert "There was no night here" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    plant_night(tmp_path)
    await editor.command("outpace.showProgress")
    if profile == "emacs@v29.1":
        assert ".html" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    else:
        page = await editor.expect(types.WINDOW_SHOW_DOCUMENT)
        assert page.external and page.uri.endswith("overnight.html")
    assert "plateau: 8 ideas" in (tmp_path / ".outpace/reports/overnight.html").read_text()
    await editor.command("outpace.pause")
    assert "rests after the trial" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    assert (tmp_path / ".outpace/paused").exists()
    await editor.command("outpace.resume")
    assert "goes on" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    assert not (tmp_path / ".outpace/paused").exists()


def test_a_client_of_ours_has_it_as_a_page_of_its_own(tmp_path: Path) -> None:
    plant_night(tmp_path)
    wire = Wire(lambda asked: {"result": {"success": True}} if asked["method"] == "window/showDocument" else None)
    capabilities = {"experimental": {"outpaceProfile": True}, "window": {"showDocument": {"support": True}}}
    wire.initialize(tmp_path, SETTINGS, capabilities)
    wire.ask("workspace/executeCommand", {"command": "outpace.showProgress", "arguments": []}, "show")
    address = wire.expect("window/showDocument", lambda said: True)["params"]["uri"]
    id = address.removeprefix("outpace-report:/").removesuffix(".md")
    answer = wire.ask("outpace/report", {"id": id}, "report")["result"]
    assert id.startswith("night-") and answer["title"].startswith("a night on")
    assert "plateau: 8 ideas" in answer["body"] and "style" in answer
    wire.close()
