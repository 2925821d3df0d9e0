"""An audited speedup beside what it comes to for a whole step, in three editors: only where a profile holds."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import AsyncGenerator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import PROFILES, Editor, capabilities_of, vscode_capabilities
from lsprotocol import types
from planted import FASTER, MACHINE, SOURCE, plant
from pytest_lsp import ClientServerConfig
from within import Within

from outpace_server.lsp import profiles
from profile_maker import plant_profile

SETTINGS = {"runOn": "never", "consent": "never"}
HEADER = 3
PARTS = {("model.py", "work"): 0.25, ("model.py", "unrelated"): 0.1}
OTHER = {("other.py", "other"): 0.1}
BARE, FULL = "1.42× audited", "1.42× audited, step 1.08× computed"
STALE = "changed since the profile"
PATIENCE_S = 20.0
SURE = "1.08× [1.07, 1.09] for a whole step: computed from a share of 25% in profile model-"


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def planted(folder: Path) -> Path:
    (folder / "pyproject.toml").touch()
    (folder / "other.py").write_text("def other(x):\n    return x\n")
    path = plant(folder, ("faster-add", FASTER, {}))
    plant_profile(folder, MACHINE, PARTS | OTHER)
    return path


async def lens(editor: Editor, uri: str) -> str:
    document = types.TextDocumentIdentifier(uri)
    shown = await editor.text_document_code_lens_async(types.CodeLensParams(document)) or []
    return "".join(one.command.title for one in shown if one.command)


async def hints(editor: Editor, uri: str) -> list[str]:
    whole = types.Range(types.Position(0, 0), types.Position(20, 0))
    asked = types.InlayHintParams(types.TextDocumentIdentifier(uri), whole)
    return [str(one.label) for one in await editor.text_document_inlay_hint_async(asked) or []]


async def lens_becomes(editor: Editor, uri: str, wanted: str) -> None:
    while await lens(editor, uri) != wanted:
        await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_both_gains_are_shown_and_which_is_computed(editor: Editor, tmp_path: Path, profile: str) -> None:
    path = planted(tmp_path)
    await editor.start(tmp_path, SETTINGS, capabilities_of(profile))
    uri = editor.open(path)
    shown = await editor.expect(
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: any(SURE in one.message for one in params.diagnostics)
    )
    assert await lens(editor, uri) == FULL
    assert await hints(editor, uri) == ["3.1 ms a call · 25% of the step", "10% of the step, 100 ms"]
    assert all("not measured" in one.message for one in shown.diagnostics)
    (apply, *_) = await editor.actions(uri, HEADER, list(shown.diagnostics))
    assert apply.title == "Apply faster-add in work: 1.42× [1.38, 1.46], step 1.08× computed (tolerant, L4)"
    at = types.Position(HEADER, 6)
    hover = await editor.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), at))
    assert hover is not None and isinstance(hover.contents, types.MarkupContent) and SURE in hover.contents.value
    await editor.command("outpace.showAudit", "v0")
    if profile != "vscode":
        if profile == "neovim@v0.11":
            await editor.expect(types.WINDOW_SHOW_DOCUMENT)
        else:
            await editor.expect(types.WINDOW_SHOW_MESSAGE)
        assert f"- step: {SURE}" in (tmp_path / ".outpace/reports/v0.md").read_text()


@pytest.mark.asyncio
async def test_what_takes_another_time_now_takes_the_steps_gain_away(editor: Editor, tmp_path: Path) -> None:
    path = planted(tmp_path)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    await lens_becomes(editor, uri, FULL)
    slower = SOURCE.replace("    return x\n", "    return x + 5\n")
    editor.type(uri, slower)
    assert await lens(editor, uri) == BARE, "while it is being written"
    while STALE not in await hints(editor, uri):
        await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH)
    assert await lens(editor, uri) == BARE
    editor.type(uri, SOURCE.replace("    return x\n", "    return x  # the same\n"))
    await lens_becomes(editor, uri, FULL)

    other = editor.open(tmp_path / "other.py")
    editor.type(other, "def other(x):\n    return x + 1\n")
    editor.save(other)
    newer = path.stat().st_mtime + 100
    os.utime(tmp_path / "other.py", (newer, newer))
    await lens_becomes(editor, uri, BARE)


@pytest.mark.asyncio
async def test_a_key_while_the_text_is_looked_at_for_the_first_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a server that starts anew while somebody types, and undoes it: the text that was looked at is gone."""
    path, looking, typed = planted(tmp_path), asyncio.Event(), threading.Event()
    loop, place = asyncio.get_running_loop(), profiles.place

    def slowly(*given: Any) -> Any:
        loop.call_soon_threadsafe(looking.set)
        assert typed.wait(PATIENCE_S)
        return place(*given)

    monkeypatch.setattr(profiles, "place", slowly)
    within = Within(tmp_path, SETTINGS)
    uri = within.open(path)
    within.type(uri, SOURCE.replace("    return y * 2\n", "    return y * 2 * 2\n"))
    await asyncio.wait_for(looking.wait(), PATIENCE_S)
    within.type(uri, SOURCE)
    typed.set()
    try:
        async with asyncio.timeout(PATIENCE_S):
            while within.lenses(uri) != [FULL]:
                await asyncio.sleep(0.05)
    finally:
        within.server.stop_work()


@pytest.mark.asyncio
async def test_a_profile_of_another_machine_says_nothing_of_the_step(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    plant_profile(tmp_path, replace(MACHINE, device="cuda", name="a GPU"), PARTS)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    at = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(HEADER, 6))
    while True:
        hover = await editor.text_document_hover_async(at)
        if hover is not None and isinstance(hover.contents, types.MarkupContent) and "25%" in hover.contents.value:
            break
        await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH)
    assert "whole step" not in hover.contents.value
    assert await lens(editor, uri) == BARE


@pytest.mark.asyncio
async def test_the_view_has_what_gains_most_on_the_step_first(editor: Editor, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").touch()
    larger = {"interval": (1.5, 1.6), "speedup": 1.55}
    often = plant(tmp_path, ("small-gain", FASTER, {}))
    seldom = plant(tmp_path, ("large-gain", FASTER, larger), name="seldom.py", ids="s")
    plant_profile(tmp_path, MACHINE, {("model.py", "work"): 0.25, ("seldom.py", "work"): 0.02})
    capabilities = vscode_capabilities()
    capabilities.experimental = {"outpaceSpeedups": True}
    await editor.start(tmp_path, SETTINGS, capabilities)
    for path in (often, seldom):
        editor.open(path)
    said = await editor.expect(
        "outpace/speedups", lambda content: len([one for one in content.speedups if one.step]) == 2
    )
    assert [one.rule for one in said.speedups] == ["small-gain", "large-gain"]
