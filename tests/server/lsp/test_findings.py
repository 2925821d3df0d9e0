"""What is shown of verdicts that the ledger has, in three editors, without a measurement."""

from __future__ import annotations

import asyncio
import shutil
import sys
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import PROFILES, Editor, capabilities_of
from lsprotocol import types
from planted import FASTER, SOURCE, plant, rejected
from pytest_lsp import ClientServerConfig
from wire import Wire

OTHER = SOURCE.replace("y = x + 1", "y = 1 + x")
SETTINGS = {"runOn": "never", "consent": "always"}
HEADER = 3


@pytest_lsp.fixture(
    config=ClientServerConfig(
        server_command=[sys.executable, "-m", "outpace_server.cli", "lsp", "--stdio"], client_factory=Editor
    )
)
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


async def opened(editor: Editor, path: Path, profile: str = "vscode") -> str:
    await editor.start(path.parent, SETTINGS, capabilities_of(profile))
    return editor.open(path)


async def diagnostics(editor: Editor) -> list[types.Diagnostic]:
    return list((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics)


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_from_open_to_an_applied_edit(editor: Editor, tmp_path: Path, profile: str) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}), ("other", OTHER, rejected()))
    uri = await opened(editor, path, profile)
    shown = await diagnostics(editor)
    assert [one.code for one in shown] == ["faster-add"]

    actions = await editor.actions(uri, HEADER, shown)
    apply = next(action for action in actions if action.title.startswith("Apply faster-add"))
    assert "1.42× [1.38, 1.46] (tolerant, L4)" in apply.title and apply.is_preferred is None
    disabled = [action for action in actions if action.disabled]
    assert bool(disabled) == (profile == "vscode")
    assert all("outputs-against-truth" in action.disabled.reason for action in disabled if action.disabled)

    if profile != "emacs@v29.1":
        assert apply.edit is None
        apply = await editor.code_action_resolve_async(apply)
    assert apply.edit is not None and apply.command is not None
    assert bool(apply.edit.changes) == (profile == "neovim@v0.11")
    editor.apply(uri, apply.edit)
    assert editor.texts[uri] == FASTER
    assert await diagnostics(editor) == []

    await editor.command(apply.command.command, *(apply.command.arguments or []))
    await editor.command("outpace.cancelAll")
    assert [one.title for one in await editor.actions(uri, HEADER, [])] == ["Revert faster-add in work"]
    assert await editor.left() == []


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("answer", ["Never", None], ids=["never", "put away"])
async def test_without_consent_nothing_is_run(editor: Editor, tmp_path: Path, profile: str, answer: str | None) -> None:
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem(answer) if answer else None
    path = plant(tmp_path)
    await editor.start(tmp_path, {"runOn": "save"}, capabilities_of(profile))
    editor.save(editor.open(path))
    asked = await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)
    assert [one.title for one in asked.actions] == ["Always", "This time", "Never"]
    if answer is None:
        await editor.expect(types.WINDOW_LOG_MESSAGE, lambda said: "outpace.remeasure" in said.message)
        assert not (tmp_path / ".outpace" / "consent.json").exists()
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_only_the_touched_code_goes_stale(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})))
    shown = await diagnostics(editor)
    (apply, *_) = await editor.actions(uri, HEADER, shown)

    editor.type(uri, SOURCE.replace("torch\n", "torch\n# a thought\n", 1))
    (moved,) = await diagnostics(editor)
    assert moved.range.start.line == HEADER + 1
    resolved = await editor.code_action_resolve_async(apply)
    editor.apply(uri, resolved.edit)
    assert editor.texts[uri] == FASTER.replace("torch\n", "torch\n# a thought\n", 1)
    assert await diagnostics(editor) == []

    editor.type(uri, SOURCE.replace("    return x\n", "    return x + 5\n"))
    (shown,) = await diagnostics(editor)
    assert shown.range.start.line == HEADER
    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    assert await diagnostics(editor) == []
    refused = await editor.code_action_resolve_async(apply)
    assert refused.command is not None and refused.command.command == "outpace.stale"


@pytest.mark.asyncio
async def test_a_new_definition_of_the_same_name_is_noticed_before_anything_is_applied(
    editor: Editor, tmp_path: Path
) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})))
    (apply, *_) = await editor.actions(uri, HEADER, await diagnostics(editor))
    editor.type(uri, SOURCE.replace("def unrelated", "def work"))
    resolved = await editor.code_action_resolve_async(apply)
    assert resolved.edit is None and resolved.command is not None and resolved.command.command == "outpace.stale"


@pytest.mark.asyncio
async def test_lens_hint_and_hover_say_what_was_measured(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})))
    await diagnostics(editor)
    document = types.TextDocumentIdentifier(uri)
    (lens,) = await editor.text_document_code_lens_async(types.CodeLensParams(document)) or []
    assert lens.command is not None and lens.command.title == "1.42× audited"
    whole = types.Range(types.Position(0, 0), types.Position(20, 0))
    (hint,) = await editor.text_document_inlay_hint_async(types.InlayHintParams(document, whole)) or []
    assert hint.label == "3.1 ms a call" and "7 fresh process pairs" in str(hint.tooltip)
    found = await editor.text_document_hover_async(types.HoverParams(document, types.Position(HEADER, 6)))
    assert found is not None and isinstance(found.contents, types.MarkupContent)
    assert "| get_inputs | 1.42× [1.38, 1.46] | 3.1 ms | 2.2 ms |" in found.contents.value
    assert await editor.text_document_hover_async(types.HoverParams(document, types.Position(0, 2))) is None


@pytest.mark.asyncio
async def test_a_dismissal_lasts(editor: Editor, tmp_path: Path) -> None:
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})))
    shown = await diagnostics(editor)
    dismiss = next(a for a in await editor.actions(uri, HEADER, shown) if a.title.startswith("Dismiss"))
    assert dismiss.command is not None
    await editor.command(dismiss.command.command, *(dismiss.command.arguments or []))
    assert await diagnostics(editor) == []
    assert (tmp_path / ".outpace" / "dismissed.json").is_file()
    await editor.command("outpace.restoreDismissed")
    assert len(await diagnostics(editor)) == 1


@pytest.mark.asyncio
async def test_the_second_of_two_changes_is_dismissed_and_the_first_stays(editor: Editor, tmp_path: Path) -> None:
    better = {"interval": (1.5, 1.6), "speedup": 1.55}
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {}), ("better", FASTER + "\n", better)))
    (first,) = await diagnostics(editor)
    assert first.code == "better"
    actions = await editor.actions(uri, HEADER, [first])
    titles = [action.title.partition(":")[0] for action in actions]
    assert {"Apply better in work", "Apply faster-add in work", "Dismiss better here"} <= set(titles)
    dismiss = next(action for action in actions if action.title == "Dismiss faster-add here")
    assert dismiss.command is not None
    await editor.command(dismiss.command.command, *(dismiss.command.arguments or []))
    left = [action.title.partition(":")[0] for action in await editor.actions(uri, HEADER, [first])]
    assert "Apply better in work" in left and not any("faster-add" in title for title in left)
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_an_edit_made_before_a_restart_can_be_taken_back(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    uri = await opened(editor, path)
    (apply, *_) = await editor.actions(uri, HEADER, await diagnostics(editor))
    resolved = await editor.code_action_resolve_async(apply)
    assert resolved.edit is not None and resolved.command is not None
    editor.apply(uri, resolved.edit)
    await editor.command(resolved.command.command, *(resolved.command.arguments or []))
    await editor.command("outpace.cancelAll")
    path.write_text(FASTER)

    def revert_in(root: Path, file: Path, *, tries: int) -> list[str]:
        wire = Wire()
        wire.initialize(root, SETTINGS, {"workspace": {"applyEdit": True}})
        document = {"uri": file.as_uri(), "languageId": "python", "version": 1, "text": FASTER}
        wire.send({"method": "textDocument/didOpen", "params": {"textDocument": document}})
        place = {"line": HEADER, "character": 0}
        asked = {
            "textDocument": {"uri": file.as_uri()},
            "range": {"start": place, "end": place},
            "context": {"diagnostics": []},
        }
        found: list[str] = []
        for number in range(tries):
            answer = wire.ask("textDocument/codeAction", asked, f"a{number}")
            found = [one["title"] for one in answer.get("result") or []]
            if found:
                break
            time.sleep(0.1)
        wire.close()
        return found

    assert await asyncio.to_thread(revert_in, tmp_path, path, tries=1000) == ["Revert faster-add in work"]
    link = tmp_path / "link"
    link.symlink_to(tmp_path)
    assert await asyncio.to_thread(revert_in, link, link / path.name, tries=1000) == ["Revert faster-add in work"]
    elsewhere = tmp_path / "clone"
    shutil.copytree(tmp_path / ".outpace", elsewhere / ".outpace")
    (elsewhere / "model.py").write_text(FASTER)
    assert await asyncio.to_thread(revert_in, elsewhere, elsewhere / "model.py", tries=20) == []


@pytest.mark.asyncio
async def test_an_applied_edit_can_be_taken_back(editor: Editor, tmp_path: Path) -> None:
    editor.answers[types.WORKSPACE_APPLY_EDIT] = types.ApplyWorkspaceEditResult(applied=True)
    uri = await opened(editor, plant(tmp_path, ("faster-add", FASTER, {})))
    (apply, *_) = await editor.actions(uri, HEADER, await diagnostics(editor))
    resolved = await editor.code_action_resolve_async(apply)
    editor.apply(uri, resolved.edit)
    await diagnostics(editor)
    await editor.command(resolved.command.command, *resolved.command.arguments)
    (revert,) = [a for a in await editor.actions(uri, HEADER, []) if a.title.startswith("Revert")]
    assert revert.command is not None
    await editor.command(revert.command.command, *(revert.command.arguments or []))
    asked = await editor.expect(types.WORKSPACE_APPLY_EDIT)
    editor.apply(uri, asked.edit)
    assert editor.texts[uri] == SOURCE


@pytest.mark.asyncio
async def test_the_combination_is_one_action_and_exact_is_preferred(editor: Editor, tmp_path: Path) -> None:
    best = {"interval": (1.5, 1.6), "speedup": 1.55, "numerics": "exact"}
    path = plant(tmp_path, ("faster-add", OTHER, {}), ("faster-add+other", FASTER, best))
    uri = await opened(editor, path)
    actions = await editor.actions(uri, HEADER, await diagnostics(editor))
    assert actions[0].title == "Apply all 2 audited edits of work: 1.55× [1.50, 1.60] (exact, L4)"
    assert actions[0].is_preferred
    variants = [action.title for action in actions if action.kind == "refactor.rewrite.outpace"]
    assert variants == ["Apply faster-add in work: 1.42× [1.38, 1.46] (tolerant, L4)", "Dismiss faster-add here"]


@pytest.mark.asyncio
@pytest.mark.parametrize("profile", PROFILES)
async def test_what_a_model_has_written_is_marked(editor: Editor, tmp_path: Path, profile: str) -> None:
    better = {"interval": (1.5, 1.6), "speedup": 1.55}
    planted = (("faster-add", FASTER, {}), ("model", FASTER + "\n", better), ("model+faster-add", FASTER + "#\n", {}))
    uri = await opened(editor, plant(tmp_path, *planted), profile)
    shown = await diagnostics(editor)
    applying = [one for one in await editor.actions(uri, HEADER, shown) if one.title.startswith("Apply ")]
    marked = {one.title.split(":")[0].removeprefix("Apply "): list(one.tags or []) for one in applying}
    tag = [types.CodeActionTag.LlmGenerated] if profile == "vscode" else []
    assert marked == {"model in work": tag, "faster-add in work": [], "all 2 audited edits of work": tag}
    assert [one.title.endswith("(tolerant, L4, written by a model)") for one in applying].count(True) == 2


@pytest.mark.asyncio
@pytest.mark.parametrize("first", ["opened", "typed"])
async def test_what_is_not_saved_as_a_file_is_opened_hides_no_offers(
    editor: Editor, tmp_path: Path, first: str
) -> None:
    """An editor that was ended with unsaved changes opens them again; and who opens a file types at once."""
    path, unsaved = plant(tmp_path, ("faster-add", FASTER, {})), f"# not saved\n{SOURCE}"
    await editor.start(path.parent, SETTINGS, capabilities_of("vscode"))
    uri = path.as_uri()
    if first == "opened":
        editor.show(uri, unsaved)
    else:
        editor.open(path)
        editor.type(uri, unsaved)
    (shown,) = await diagnostics(editor)
    assert (shown.code, shown.range.start.line) == ("faster-add", HEADER + 1)
    (apply, *_) = await editor.actions(uri, HEADER + 1, [shown])
    resolved = await editor.code_action_resolve_async(apply)
    assert resolved.edit is not None
    editor.apply(uri, resolved.edit)
    assert editor.texts[uri] == f"# not saved\n{FASTER}"
