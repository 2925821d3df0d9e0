"""What editors answer, leave out and spell in their own way: nothing of it stops the server, and people are told what
became of what they asked for."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
import pytest_lsp
from editor import Editor, capabilities_of, vscode_capabilities
from lsprotocol import converters, types
from planted import FASTER, SOURCE, plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND, Wire

SETTINGS = {"runOn": "never", "consent": "always"}
HEADER = 3
ENDS_S = 20.0
HOVER = {"textDocument": {"uri": "file:///x.py"}, "position": {"line": 0, "character": 0}}
CONFIGURATION = {"workspace": {"configuration": True}}
BARE: dict[str, Any] = {"workspace": {"applyEdit": True}, "textDocument": {"codeAction": {}}}
"""Of before LSP 3.8: bare commands instead of code actions."""


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def announced(capabilities: dict[str, Any]) -> types.ClientCapabilities:
    return converters.get_converter().structure(capabilities, types.ClientCapabilities)


async def opened(editor: Editor, path: Path, capabilities: types.ClientCapabilities) -> str:
    await editor.start(path.parent, SETTINGS, capabilities)
    uri = editor.open(path)
    await diagnostics(editor)
    return uri


async def diagnostics(editor: Editor) -> list[types.Diagnostic]:
    return list((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics)


async def titles(editor: Editor, uri: str, only: list[str] | None = None) -> list[str]:
    found = await editor.actions_or_commands(uri, HEADER, [], only)
    return [one.title.partition(":")[0] for one in found]


async def told(editor: Editor) -> str:
    return str((await editor.expect(types.WINDOW_SHOW_MESSAGE)).message)


# --- what is answered ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("answer", [None, {}], ids=["null", "as Kate"])
def test_a_question_that_was_put_away_is_a_no(tmp_path: Path, answer: Any) -> None:
    wire = Wire(lambda asked: {"result": answer})
    path = plant(tmp_path)
    wire.initialize(tmp_path, {"runOn": "save"})
    open_on(wire, path.as_uri())
    wire.send({"method": "textDocument/didSave", "params": {"textDocument": {"uri": path.as_uri()}}})
    wire.expect("window/logMessage", lambda said: "nobody has allowed it" in said["message"])
    assert not [said for said in wire.heard if said["method"] == "window/showMessage"]
    assert not [said for said in wire.heard if "cannot ask" in json.dumps(said)]
    wire.close()


def test_an_answer_to_nothing_is_survived(tmp_path: Path) -> None:
    wire = Wire()
    wire.initialize(tmp_path, SETTINGS)
    for id in ([], {}, None, 1.5, "nobody asked"):
        wire.send({"id": id, "result": {}})
    assert "error" not in wire.ask("textDocument/hover", HOVER, "alive")
    wire.close()


OWN = {"runOn": "sometimes"}
NO_ANSWERS = [None, [], [None], [{}], [""], [[]], [{"python": {"runOn": "x"}, "editor": 3}], [{"outpace": None}]]


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=json.dumps)
def test_settings_that_are_not_there_change_nothing_and_are_no_trouble(tmp_path: Path, answer: Any) -> None:
    """A wrong value is told: whether the second answer is read shows whether the first one did any harm."""
    answers = iter([answer, [OWN]])
    wire = Wire(lambda asked: {"result": next(answers)} if asked["method"] == "workspace/configuration" else None)
    wire.initialize(tmp_path, {}, CONFIGURATION)
    wire.expect("workspace/configuration", lambda asked: True)
    wire.send({"method": "workspace/didChangeConfiguration", "params": {"settings": None}})
    wire.expect("window/showMessage", lambda said: "runOn: 'sometimes'" in said["message"])
    assert len([said for said in wire.heard if said["method"] == "window/showMessage"]) == 1
    wire.close()


@pytest.mark.parametrize("answer", [[OWN], [{"outpace": OWN, "python": {}}]], ids=["section", "whole tree"])
def test_settings_are_found_in_a_section_and_in_the_whole_tree(tmp_path: Path, answer: Any) -> None:
    wire = Wire(lambda asked: {"result": answer})
    wire.initialize(tmp_path, {}, CONFIGURATION)
    wire.expect("window/showMessage", lambda said: "runOn: 'sometimes'" in said["message"])
    wire.close()


def test_an_editor_that_never_answers_about_settings_is_served(tmp_path: Path) -> None:
    wire = Wire()
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    wire.initialize(tmp_path, SETTINGS, CONFIGURATION)
    open_on(wire, path.as_uri())
    wire.expect("textDocument/publishDiagnostics", lambda said: said["diagnostics"])
    wire.close()


@pytest.mark.asyncio
@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (types.ApplyWorkspaceEditResult(applied=False, failure_reason="the buffer is locked"), "the buffer is locked"),
        (types.ApplyWorkspaceEditResult(applied=False), "the file has changed meanwhile"),
        (types.ApplyWorkspaceEditResult(applied=False, failure_reason=""), "the file has changed meanwhile"),
    ],
    ids=["with a reason", "without", "with an empty one"],
)
async def test_a_refused_edit_is_explained(editor: Editor, tmp_path: Path, answer: Any, why: str) -> None:
    editor.answers[types.WORKSPACE_APPLY_EDIT] = answer
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), announced(BARE))
    await editor.command("outpace.apply", uri, "v0")
    assert await told(editor) == f"The editor did not make the edit: {why}."
    assert "Apply faster-add in work" in await titles(editor, uri)


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", ["vscode", "neovim@v0.11"])
async def test_an_audit_that_the_editor_does_not_show_is_in_a_file(
    editor: Editor, tmp_path: Path, profile: str
) -> None:
    editor.answers[types.WINDOW_SHOW_DOCUMENT] = types.ShowDocumentResult(success=False)
    await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), capabilities_of(profile))
    await editor.command("outpace.showAudit", "v0")
    assert await told(editor) == f"The audit is in {tmp_path / '.outpace/reports/v0.md'}."


def test_what_comes_of_an_error_is_told_too(tmp_path: Path) -> None:
    wire = Wire(lambda asked: {"error": {"code": -32601, "message": f"no {asked['method']}"}})
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    wire.initialize(tmp_path, SETTINGS, BARE | {"window": {"showDocument": {"support": True}}})
    open_on(wire, path.as_uri())
    wire.expect("textDocument/publishDiagnostics", lambda said: said["diagnostics"])
    for command, arguments in (("outpace.apply", [path.as_uri(), "v0"]), ("outpace.showAudit", ["v0"])):
        wire.ask("workspace/executeCommand", {"command": command, "arguments": arguments}, command)
    refused = "The editor did not make the edit: no workspace/applyEdit."
    wire.expect("window/showMessage", lambda said: said["message"] == refused)
    wire.expect("window/showMessage", lambda said: said["message"].startswith("The audit is in "))
    wire.close()


# --- what is asked for -----------------------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_kinds_are_a_hierarchy_whose_root_is_empty(editor: Editor, tmp_path: Path) -> None:
    better = {"interval": (1.5, 1.6), "speedup": 1.55}
    path = plant(tmp_path, ("faster-add", FASTER, {}), ("better", FASTER + "\n", better))
    uri = await opened(editor, path, capabilities_of("neovim@v0.11"))
    fixes = ["Apply better in work", "Show audit of better", "Measure again", "Dismiss better here"]
    rewrites = ["Apply faster-add in work", "Dismiss faster-add here"]
    profile = ["Profile model.py...", "Show profile"]
    asked: dict[tuple[str, ...], list[str]] = {
        (): fixes + rewrites,
        ("",): fixes + rewrites + profile,
        ("quickfix",): fixes,
        ("refactor",): rewrites,
        ("refactor.rewrite",): rewrites,
        ("refactor.rewrite.outpace",): rewrites,
        ("source",): profile,
        ("source.fixAll",): [],
        ("source.organizeImports",): [],
        ("quick",): [],
        ("notebook", "quickfix"): fixes,
    }
    for kinds, expected in asked.items():
        assert await titles(editor, uri, list(kinds)) == expected, kinds


@pytest.mark.asyncio
async def test_without_code_actions_there_are_commands_that_do_the_same(editor: Editor, tmp_path: Path) -> None:
    editor.answers[types.WORKSPACE_APPLY_EDIT] = types.ApplyWorkspaceEditResult(applied=True)
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {"numerics": "exact"})), announced(BARE))
    assert (await titles(editor, uri))[0] == "Apply faster-add in work"
    await editor.command("outpace.apply", uri, "v0")
    asked = await editor.expect(types.WORKSPACE_APPLY_EDIT)
    assert asked.label == "Apply faster-add in work"
    editor.apply(uri, asked.edit)
    assert editor.texts[uri] == FASTER
    assert await diagnostics(editor) == []
    await editor.command("outpace.cancelAll")
    assert await titles(editor, uri) == ["Revert faster-add in work"]
    await editor.command("outpace.revert", uri, "v0")
    editor.apply(uri, (await editor.expect(types.WORKSPACE_APPLY_EDIT)).edit)
    assert editor.texts[uri] == SOURCE


@pytest.mark.asyncio
async def test_the_command_refuses_what_has_become_stale(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), announced(BARE))
    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    await editor.command("outpace.apply", uri, "v0")
    assert "nothing was applied" in (await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)).message
    assert editor.texts[uri] != FASTER


@pytest.mark.asyncio
async def test_who_takes_edits_in_no_way_is_offered_none(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), announced({}))
    assert await titles(editor, uri) == ["Show audit of faster-add", "Measure again", "Dismiss faster-add here"]


@pytest.mark.asyncio
async def test_who_resolves_edits_alone_is_asked_when_one_is_stale(editor: Editor, tmp_path: Path) -> None:
    """As Sublime Text, coc.nvim and LSP4IJ: a command in the answer would not be run."""
    capabilities = vscode_capabilities()
    assert capabilities.text_document and capabilities.text_document.code_action
    capabilities.text_document.code_action.resolve_support = types.ClientCodeActionResolveOptions(["edit"])
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), capabilities)
    (apply, *_) = await editor.actions(uri, HEADER, [])
    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    refused = await editor.code_action_resolve_async(apply)
    assert refused.edit is None and refused.command is None
    assert "nothing was applied" in (await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)).message


@pytest.mark.asyncio
@pytest.mark.parametrize("order", ["text alone", "command first", "text first"])
async def test_an_edit_is_known_as_applied_once_it_stands_there(editor: Editor, tmp_path: Path, order: str) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), vscode_capabilities())
    (apply, *_) = await editor.actions(uri, HEADER, [])
    resolved = await editor.code_action_resolve_async(apply)
    assert resolved.edit is not None and resolved.command is not None
    steps: list[Callable[[], Any]] = [lambda: editor.apply(uri, resolved.edit or types.WorkspaceEdit())]
    command = resolved.command
    if order != "text alone":
        at = 0 if order == "command first" else 1
        steps.insert(at, lambda: editor.command(command.command, *(command.arguments or [])))
    for step in steps:
        if asyncio.iscoroutine(waiting := step()):
            await waiting
    await editor.command("outpace.cancelAll")
    assert await titles(editor, uri) == ["Revert faster-add in work"]
    logged = [said.message for method, said in editor.unread if method == types.WINDOW_LOG_MESSAGE]
    assert any("not measured again" in said for said in logged) == (order == "command first")

    for text, offered in ((SOURCE, "Apply faster-add in work"), (FASTER, "Revert faster-add in work")):
        editor.type(uri, text)  # undone, and done again
        assert (await titles(editor, uri))[0] == offered
    assert not [m for m, _ in await editor.left() if m == types.WINDOW_SHOW_MESSAGE]


@pytest.mark.asyncio
async def test_what_is_applied_once_more_is_measured_once_more(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), vscode_capabilities())
    for _ in range(2):
        (apply, *_) = await editor.actions(uri, HEADER, [])
        resolved = await editor.code_action_resolve_async(apply)
        assert resolved.edit is not None
        editor.apply(uri, resolved.edit)
        await editor.expect(types.WINDOW_WORK_DONE_PROGRESS_CREATE)
        await editor.command("outpace.cancelAll")
        editor.type(uri, SOURCE)


@pytest.mark.asyncio
async def test_ranges_that_are_not_there_are_no_trouble(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})), vscode_capabilities())
    far = types.Position(100_000, 100_000)
    near = types.Position(HEADER, 2)
    for start, end, found in ((far, far, False), (types.Position(0, 0), far, True), (near, near, True)):
        context = types.CodeActionContext([], trigger_kind=types.CodeActionTriggerKind.Automatic)
        asked = types.CodeActionParams(types.TextDocumentIdentifier(uri), types.Range(start, end), context)
        assert bool(await editor.text_document_code_action_async(asked)) == found
        hints = types.InlayHintParams(types.TextDocumentIdentifier(uri), types.Range(start, end))
        assert bool(await editor.text_document_inlay_hint_async(hints)) == found
    assert await editor.text_document_hover_async(types.HoverParams(types.TextDocumentIdentifier(uri), far)) is None


# --- how files and folders are spelled --------------------------------------------------------------------------------


SPELLED: dict[str, Callable[[str], str]] = {
    "as Python": lambda uri: uri,
    "nothing escaped": unquote,
    "lower case": lambda uri: uri.replace("%C3%A4", "%c3%a4"),
    "more than needed": lambda uri: uri.replace("model", "%6dodel").replace("-", "%2D"),
    "with its host": lambda uri: uri.replace("file:///", "file://localhost/"),
}


@pytest.mark.parametrize("spelling", SPELLED)
def test_an_address_is_answered_as_the_editor_spells_it(tmp_path: Path, spelling: str) -> None:
    folder = tmp_path / "ä b-c"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    uri = SPELLED[spelling](plant(folder, ("faster-add", FASTER, {})).as_uri())
    wire = Wire()
    wire.initialize(folder, SETTINGS)
    open_on(wire, uri)
    said = wire.expect("textDocument/publishDiagnostics", lambda said: said["diagnostics"])
    assert said["params"]["uri"] == uri
    place = {"line": HEADER, "character": 0}
    asked = {"textDocument": {"uri": uri}, "range": {"start": place, "end": place}, "context": {"diagnostics": []}}
    found = wire.ask("textDocument/codeAction", asked, "actions")["result"]
    assert found[-1]["arguments"][0] == uri
    wire.close()


ROOTS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "path alone": lambda root: {"rootPath": str(root), "rootUri": None, "workspaceFolders": None},
    "with a slash": lambda root: {"rootUri": f"{root.as_uri()}/", "workspaceFolders": None},
    "none": lambda root: {"rootUri": None, "workspaceFolders": []},
    "not told": lambda root: {},
    "folders alone": lambda root: {"workspaceFolders": [{"uri": f"{root.as_uri()}/", "name": ""}]},
}


@pytest.mark.parametrize("root", ROOTS)
@pytest.mark.parametrize("link", [False, True], ids=["", "through a link"])
def test_a_root_is_told_in_many_ways_and_an_editor_may_just_leave(tmp_path: Path, root: str, link: bool) -> None:
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "pyproject.toml").touch()
    path = plant(folder, ("faster-add", FASTER, {}))
    if link:
        (tmp_path / "link").symlink_to(folder)
        folder = tmp_path / "link"
        path = folder / path.name
    wire = Wire()
    told = {"processId": None, "capabilities": {}, "initializationOptions": SETTINGS, **ROOTS[root](folder)}
    assert "error" not in wire.ask("initialize", told, "initialize")
    wire.send({"method": "initialized", "params": {}})
    wire.send({"method": "$/setTrace", "params": {"value": "verbose"}})
    open_on(wire, path.as_uri())
    wire.expect("textDocument/publishDiagnostics", lambda said: said["uri"] == path.as_uri() and said["diagnostics"])
    wire.send({"method": "exit"})
    wire.process.wait(ENDS_S)


def open_on(wire: Wire, uri: str) -> None:
    item = {"uri": uri, "languageId": "python", "version": 1, "text": SOURCE}
    wire.send({"method": "textDocument/didOpen", "params": {"textDocument": item}})
