"""Profiles beside the code, in three editors: numbers at functions, suggestions, what is stale, and what is new."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest
import pytest_lsp
from editor import PROFILES, Editor, capabilities_of, vscode_capabilities
from lsprotocol import types
from pytest_lsp import ClientServerConfig
from traced import CLASS, FORWARD, MAIN, SOURCE, WORK, plant_script, plant_trace
from wire import Wire

from outpace_server.lsp.profiles import LARGE

SETTINGS: dict[str, Any] = {"runOn": "never", "consent": "never"}
EXPECTED = {
    CLASS: "40% of the step in forward, 400 µs",
    FORWARD: "40% of the step, 400 µs",
    WORK: "20% of the step, 200 µs",
    MAIN: "40% of the step in its own code",
}
STALE = "changed since the profile"
MEGABYTE = 1 << 20


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


async def hints(editor: Editor, uri: str) -> dict[int, str]:
    """By line."""
    end = types.Position(len(editor.texts[uri].splitlines()), 0)
    asked = types.InlayHintParams(types.TextDocumentIdentifier(uri), types.Range(types.Position(0, 0), end))
    return {one.position.line: str(one.label) for one in await editor.text_document_inlay_hint_async(asked) or []}


async def settled(editor: Editor, uri: str, wanted: dict[int, str]) -> None:
    """As an editor does: hints are asked for again when the server says so."""
    while (shown := await hints(editor, uri)) != wanted:
        await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH, lambda _: True)
        assert set(shown.values()) <= {*wanted.values(), *EXPECTED.values()}


async def hover(editor: Editor, uri: str, line: int) -> str:
    asked = types.HoverParams(types.TextDocumentIdentifier(uri), types.Position(line, 0))
    shown = await editor.text_document_hover_async(asked)
    if shown is None:
        return ""
    assert isinstance(shown.contents, types.MarkupContent)
    return shown.contents.value


async def suggested(editor: Editor, count: int = 1) -> list[types.Diagnostic]:
    """Once they are there, or gone."""
    shown = await editor.expect(
        types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: len(params.diagnostics) == count
    )
    return list(shown.diagnostics)


def off(**profile: Any) -> dict[str, Any]:
    return SETTINGS | {"profile": profile}


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_a_trace_is_shown_at_functions_and_classes(editor: Editor, tmp_path: Path, profile: str) -> None:
    path = plant_script(tmp_path)
    trace = plant_trace(tmp_path)
    await editor.start(tmp_path, SETTINGS, capabilities_of(profile))
    uri = editor.open(path)
    (suggestion,) = await suggested(editor)
    assert (suggestion.source, suggestion.code) == ("outpace profile", "optimizer-loop")
    assert suggestion.severity == types.DiagnosticSeverity.Hint
    assert editor.text_in(uri, suggestion.range) == "torch.optim.Adam"
    assert "Adam.step takes 0.2 ms (20.0%)" in suggestion.message and "at most 1.25× per step" in suggestion.message
    assert "made and audited by `outpace train --rule fused-optimizer`" in suggestion.message
    if profile == "vscode":
        assert suggestion.code_description is not None
        assert suggestion.code_description.href.endswith("docs/profile.md#optimizer-loop")
    assert await hints(editor, uri) == EXPECTED
    told = await hover(editor, uri, FORWARD)
    for words in ("Net.forward", "400 µs", "a step would be 1.67× as fast", "1 call per step", trace.name):
        assert words in told
    assert await hover(editor, uri, FORWARD + 1) == ""
    await editor.command("outpace.showProfile", uri)
    if profile == "emacs@v29.1":
        assert ".html" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    else:
        page = await editor.expect(types.WINDOW_SHOW_DOCUMENT)
        assert page.external and page.uri.endswith(".html")
    (page,) = (tmp_path / ".outpace/reports").iterdir()
    assert "Net.forward" in page.read_text() and "<script" not in page.read_text()
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_what_is_touched_loses_its_numbers_and_what_has_changed_is_stale(editor: Editor, tmp_path: Path) -> None:
    path = plant_script(tmp_path)
    plant_trace(tmp_path)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    await suggested(editor)

    changed = SOURCE.replace("return x\n", "y = x\n    return y\n")
    editor.type(uri, changed)
    rest = {line + (line > WORK): label for line, label in EXPECTED.items() if line != WORK}
    assert await hints(editor, uri) == rest
    await settled(editor, uri, rest | {WORK: STALE})
    told = await hover(editor, uri, WORK)
    assert "its code is not what was profiled" in told and "200 µs" not in told
    assert "1 profiled function of this file changed since" in await hover(editor, uri, FORWARD)

    editor.type(uri, SOURCE.replace("Adam([])", "Adam([], fused=True)"))
    await suggested(editor, 0)
    editor.type(uri, SOURCE.replace("return x\n", "return x  # the same\n"))
    await suggested(editor)
    await settled(editor, uri, EXPECTED)


@pytest.mark.asyncio
async def test_code_that_was_changed_before_the_file_is_opened_is_stale(editor: Editor, tmp_path: Path) -> None:
    path = plant_script(tmp_path)
    trace = plant_trace(tmp_path)
    newer = trace.stat().st_mtime + 10
    path.write_text(SOURCE.replace("return x\n", "return x + 1\n"))
    os.utime(path, (newer, newer))
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH)
    while not (shown := await hints(editor, uri)):
        await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH)
    assert set(shown.values()) == {STALE}, "how old the code of a trace is, is not known by function"
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_each_has_its_switch(editor: Editor, tmp_path: Path) -> None:
    path = plant_script(tmp_path)
    plant_trace(tmp_path)
    await editor.start(tmp_path, off(hover={"enable": False}), vscode_capabilities())
    uri = editor.open(path)
    await suggested(editor)
    assert await hover(editor, uri, WORK) == "" and await hints(editor, uri) == EXPECTED

    editor.answers[types.WORKSPACE_CONFIGURATION] = [{"profile": {"inlayHints": {"enable": False}}}]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    while await hints(editor, uri):
        await editor.expect(types.WORKSPACE_CONFIGURATION)
    editor.answers[types.WORKSPACE_CONFIGURATION] = [{"profile": {"diagnostics": {"severity": "off"}}}]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await suggested(editor, 0)
    editor.answers[types.WORKSPACE_CONFIGURATION] = [
        {"profile": {"diagnostics": {"severity": "warning"}, "traces": {"enable": False}}}
    ]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    (shown,) = await suggested(editor)
    assert shown.severity == types.DiagnosticSeverity.Warning
    await suggested(editor, 0)
    editor.answers[types.WORKSPACE_CONFIGURATION] = [{"profile": {"traces": {"enable": True}}}]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await suggested(editor)
    editor.answers[types.WORKSPACE_CONFIGURATION] = [{"enable": False}]
    editor.workspace_did_change_configuration(types.DidChangeConfigurationParams(settings=None))
    await suggested(editor, 0)
    assert await hints(editor, uri) == {}


@pytest.mark.asyncio
async def test_where_nothing_is_trusted_nothing_is_read(editor: Editor, tmp_path: Path) -> None:
    path = plant_script(tmp_path)
    plant_trace(tmp_path)
    await editor.start(tmp_path, SETTINGS | {"trusted": False}, vscode_capabilities())
    uri = editor.open(path)
    await editor.command("outpace.showProfile", uri)
    assert "There is no profile here" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    await editor.command("outpace.profile", uri)
    assert "Profiling is off" in (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    assert await hints(editor, uri) == {}
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_new_traces_are_noticed_and_broken_ones_are_told_once_and_left_out(
    editor: Editor, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.pt.trace.json"
    broken.write_text('{"traceEvents": [{"ph": "X"')
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(plant_script(tmp_path))
    said = await editor.expect(types.WINDOW_LOG_MESSAGE)
    assert said.type == types.MessageType.Warning and "cut off" in said.message and "\n" not in said.message
    assert await hints(editor, uri) == {}

    trace = plant_trace(tmp_path)  # in a folder that was not there
    await suggested(editor)
    assert await hints(editor, uri) == EXPECTED
    broken.write_text("{}")
    told = await editor.expect(types.WINDOW_SHOW_MESSAGE)
    assert told.type == types.MessageType.Warning and "it has no traceEvents" in told.message
    assert await hints(editor, uri) == EXPECTED, "the older one stays"
    trace.unlink()
    await suggested(editor, 0)
    assert await hints(editor, uri) == {}
    plant_trace(tmp_path, "log/next.pt.trace.json")
    await suggested(editor)
    assert await editor.left() == []


def test_a_client_of_ours_has_heat_and_page_and_the_server_stays_small(tmp_path: Path) -> None:
    answers = {"window/showDocument": {"success": True}, "window/workDoneProgress/create": None}
    wire = Wire(lambda asked: {"result": answers[asked["method"]]} if asked["method"] in answers else None)
    window = {"showDocument": {"support": True}, "workDoneProgress": True}
    capabilities = {"experimental": {"outpaceProfile": True}, "window": window}
    wire.initialize(tmp_path, SETTINGS, capabilities)
    uri = open_on(wire, plant_script(tmp_path))
    wire.ask("textDocument/hover", {"textDocument": {"uri": uri}, "position": {"line": 0, "character": 0}}, "hover")
    before = resident(wire.process.pid)

    plant_trace(tmp_path, "first.pt.trace.json")
    heat = wire.expect("outpace/profile", lambda said: True)["params"]
    assert heat["uri"] == uri and {(one["name"], one["first"], one["last"]) for one in heat["functions"]} == {
        ("Net.forward", FORWARD, FORWARD + 1), ("work", WORK, WORK + 1), ("main", MAIN, MAIN + 2)
    }  # fmt: skip
    assert [one["share"] for one in heat["functions"] if one["name"] == "work"] == [pytest.approx(0.2)]
    wire.ask("workspace/executeCommand", {"command": "outpace.showProfile", "arguments": [uri]}, "show")
    address = wire.expect("window/showDocument", lambda said: True)["params"]["uri"]
    id = address.removeprefix("outpace-report:/").removesuffix(".md")
    answer = wire.ask("outpace/report", {"id": id}, "report")["result"]
    assert "Net.forward" in answer["body"] and "style" in answer

    trace = plant_trace(tmp_path, "large.pt.trace.json", filling=230_000)
    assert trace.stat().st_size > LARGE
    wire.expect("outpace/profile", lambda said: said["profile"] == trace.name)
    said = [one["params"]["value"] for one in wire.heard if one["method"] == "$/progress"]
    assert said[0]["title"] == "Reading a profile" and said[-1]["kind"] == "end"
    assert "large.pt.trace.json, 21 MB" in [one.get("message") for one in said], said
    assert resident(wire.process.pid) - before < 10 * MEGABYTE
    assert "libtorch" not in Path(f"/proc/{wire.process.pid}/maps").read_text()
    wire.close()


def open_on(wire: Wire, path: Path) -> str:
    item = {"uri": path.as_uri(), "languageId": "python", "version": 1, "text": path.read_text()}
    wire.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
    return path.as_uri()


def resident(pid: int) -> int:
    """Bytes."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * 4096


# --- a run of a person's own script ----------------------------------------------------------------------------------

SCRIPT = """import torch


def heavy(x):
    for _ in range(30):
        x = torch.tanh(x)
    return x


def main():
    parameters = [torch.nn.Parameter(torch.ones(64)) for _ in range(100)]
    optimizer = torch.optim.Adam(parameters, foreach=False)
    for _ in range(1000):
        optimizer.zero_grad()
        heavy(sum(parameters) * torch.ones(512, 64)).sum().backward()
        optimizer.step()


if __name__ == "__main__":
    main()
"""


@pytest.mark.timed
@pytest.mark.asyncio
async def test_the_command_asks_first_then_runs_the_script_and_shows_its_profile(
    editor: Editor, tmp_path: Path
) -> None:
    (tmp_path / "pyproject.toml").touch()
    path = tmp_path / "train.py"
    text = f"import sys\nassert sys.argv[1:] == ['--small', '2']\n{SCRIPT}"
    path.write_text(text)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem("Not Now")
    await editor.command("outpace.profile", uri, "--small", 2)
    asked = await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)
    assert "`python train.py --small 2`" in asked.message and "in no sandbox" in asked.message
    assert not (tmp_path / ".outpace").exists()

    await hints(editor, uri)  # by its answer the server has dealt with the one before
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem("Run")
    await editor.command("outpace.profile", uri, "--small", 2)
    assert (await editor.progress("Profiling train.py"))[-1] == "done"
    shown = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)
    ranges = {one.code: editor.text_in(uri, one.range) for one in shown.diagnostics}
    assert ranges["optimizer-loop"] == "torch.optim.Adam"
    heavy = text.splitlines().index("def heavy(x):")
    assert "% of the step, " in (await hints(editor, uri))[heavy]
    told = await hover(editor, uri, heavy)
    assert "train.py --small 2: a step takes" in told and "aten::tanh" in told and "without the profiler" in told

    changed = text.replace("range(30)", "range(3)")
    editor.type(uri, changed)
    editor.save(uri)
    while (await hints(editor, uri)).get(heavy) != STALE:
        await editor.expect(types.WORKSPACE_INLAY_HINT_REFRESH)

    path.write_text("raise SystemExit(3)\n")
    await editor.command("outpace.profile", uri)
    told = (await editor.expect(types.WINDOW_SHOW_MESSAGE)).message
    assert told.startswith("train.py was not profiled: nothing was recorded") and "\n" not in told
