"""Cells of a notebook as targets: everything is addressed to cells, and so are the edits."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import Editor, Notebook, vscode_capabilities
from lsprotocol import types
from planted import plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND

from outpace_optimizers.notebook import module_of

SETTINGS = {"runOn": "never", "consent": "always"}
CELLS = [
    "%matplotlib inline\nimport torch",
    "def work(x):\n    y = x + 1\n    return y * 2",
    "!nvidia-smi\ndef get_inputs():\n    return [torch.ones(3)]",
]
FASTER = ["%matplotlib inline\nimport torch\nimport math", "def work(x):\n    return torch.add(x, 1) * 2", CELLS[2]]
WORK = 1


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def planted(folder: Path, after: list[str] = FASTER, cells: list[str] = CELLS) -> Path:
    """A notebook on disk, and a verdict in the ledger on its module."""
    source, new = module_of(tuple(cells)).text, module_of(tuple(after)).text
    path = plant(folder, ("faster-add", new, {}), source=source, name="train.ipynb")
    write(path, cells)
    return path


def write(path: Path, cells: list[str]) -> None:
    made = [{"cell_type": "code", "source": text, "metadata": {}, "outputs": []} for text in cells]
    path.write_text(json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}))


async def opened(editor: Editor, path: Path, cells: list[str] = CELLS) -> Notebook:
    await editor.start(path.parent, SETTINGS, vscode_capabilities())
    return editor.open_notebook(path, cells)


async def diagnostics(editor: Editor, uri: str) -> list[types.Diagnostic]:
    found = await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda params: params.uri == uri)
    return list(found.diagnostics)


@pytest.mark.asyncio
async def test_from_open_to_an_edit_of_two_cells_and_back(editor: Editor, tmp_path: Path) -> None:
    notebook = await opened(editor, planted(tmp_path))
    imports, work, inputs = notebook.cells
    (shown,) = await diagnostics(editor, work)
    assert shown.range == types.Range(types.Position(0, 0), types.Position(0, 12))

    assert await editor.actions(imports, 1, []) == await editor.actions(inputs, 1, []) == []
    actions = await editor.actions(work, 0, [shown])
    apply = await editor.code_action_resolve_async(actions[0])
    assert apply.title.startswith("Apply faster-add") and apply.edit is not None and apply.command is not None
    assert apply.edit.document_changes is not None and len(apply.edit.document_changes) == 2
    editor.apply_to_cells(notebook, apply.edit)
    assert [editor.texts[cell] for cell in notebook.cells] == FASTER
    assert await diagnostics(editor, work) == []

    await editor.command("outpace.cancelAll")  # what began as soon as the edit stood there
    await editor.command(apply.command.command, *(apply.command.arguments or []))
    (revert,) = await editor.actions(work, 0, [])
    assert revert.title == "Revert faster-add in work" and revert.command is not None
    editor.answers[types.WORKSPACE_APPLY_EDIT] = types.ApplyWorkspaceEditResult(applied=True)
    await editor.command(revert.command.command, *(revert.command.arguments or []))
    asked = await editor.expect(types.WORKSPACE_APPLY_EDIT)
    editor.apply_to_cells(notebook, asked.edit)
    assert [editor.texts[cell] for cell in notebook.cells] == CELLS
    assert len(await diagnostics(editor, work)) == 1
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_lens_hint_and_hover_are_those_of_the_cell(editor: Editor, tmp_path: Path) -> None:
    notebook = await opened(editor, planted(tmp_path))
    await diagnostics(editor, notebook.cells[WORK])
    whole = types.Range(types.Position(0, 0), types.Position(3, 0))
    for number, cell in enumerate(notebook.cells):
        document, own = types.TextDocumentIdentifier(cell), number == WORK
        lenses = await editor.text_document_code_lens_async(types.CodeLensParams(document)) or []
        assert [lens.range.start.line for lens in lenses] == [0] * own
        hints = await editor.text_document_inlay_hint_async(types.InlayHintParams(document, whole)) or []
        assert [hint.position for hint in hints] == [types.Position(0, 12)] * own
        hover = await editor.text_document_hover_async(types.HoverParams(document, types.Position(0, 3)))
        assert (hover is not None) == own


@pytest.mark.asyncio
async def test_offers_go_and_come_with_the_cells(editor: Editor, tmp_path: Path) -> None:
    notebook = await opened(editor, planted(tmp_path))
    work = notebook.cells[WORK]
    await diagnostics(editor, work)
    editor.type_in_cell(notebook, work, CELLS[WORK].replace("+ 1", "+ 3"))
    assert await diagnostics(editor, work) == []
    editor.type_in_cell(notebook, work, CELLS[WORK])
    assert len(await diagnostics(editor, work)) == 1

    above = editor.insert_cell(notebook, 0, "# a thought")
    assert await editor.left() == [], "the diagnostic has not moved within its cell"
    assert len(await editor.actions(work, 0, [])) > 0
    editor.remove_cell(notebook, above)
    editor.remove_cell(notebook, work)
    assert await diagnostics(editor, work) == []
    editor.close_notebook(notebook)
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_offers_stay_where_cells_are_put_in_another_order(editor: Editor, tmp_path: Path) -> None:
    notebook = await opened(editor, planted(tmp_path))
    imports, work, inputs = notebook.cells
    await diagnostics(editor, work)
    editor.move_cell(notebook, work, 2)
    assert notebook.cells == [imports, inputs, work]
    assert len(await editor.actions(work, 0, [])) > 0
    editor.type_in_cell(notebook, inputs, CELLS[2].replace("ones(3)", "ones(4)"))
    assert await editor.actions(work, 0, []) == []
    editor.type_in_cell(notebook, inputs, CELLS[2])
    apply = await editor.code_action_resolve_async((await editor.actions(work, 0, []))[0])
    assert apply.edit is not None
    editor.apply_to_cells(notebook, apply.edit)
    assert [editor.texts[cell] for cell in notebook.cells] == [FASTER[0], FASTER[2], FASTER[1]]
    await editor.command("outpace.cancelAll")
    assert [one.title for one in await editor.actions(work, 0, [])] == ["Revert faster-add in work"]
    editor.move_cell(notebook, work, 1)
    (revert,) = await editor.actions(work, 0, [])
    assert revert.command is not None
    await editor.command(revert.command.command, *(revert.command.arguments or []))
    editor.apply_to_cells(notebook, (await editor.expect(types.WORKSPACE_APPLY_EDIT)).edit)
    assert [editor.texts[cell] for cell in notebook.cells] == CELLS


@pytest.mark.asyncio
@pytest.mark.parametrize(
    "after",
    [
        [*CELLS[:2], CELLS[2].replace("!nvidia-smi", "!ls")],
        [CELLS[0], CELLS[1].replace("* 2", "* 3"), "import math\ndef get_inputs():\n    return [torch.ones(2)]"],
    ],
    ids=["a command of IPython", "lines of two cells in one edit"],
)
async def test_what_is_no_change_of_cells_is_not_offered(editor: Editor, tmp_path: Path, after: list[str]) -> None:
    notebook = await opened(editor, planted(tmp_path, after))
    assert await editor.actions(notebook.cells[WORK], 0, []) == []
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_cells_of_other_languages_and_markdown_are_left_alone(editor: Editor, tmp_path: Path) -> None:
    path = planted(tmp_path)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    cells = [("# Title", "markdown"), (CELLS[0], "python"), ("select 1", "sql"), *((c, "python") for c in CELLS[1:])]
    notebook = editor.open_notebook(path, [text for text, _ in cells], [language for _, language in cells])
    title, _, sql, work, _ = notebook.cells
    assert len(await diagnostics(editor, work)) == 1
    assert await editor.actions(title, 0, []) == await editor.actions(sql, 0, []) == []
    assert await editor.left() == []


@pytest.mark.asyncio
async def test_a_saved_notebook_is_measured_where_that_is_allowed(editor: Editor, tmp_path: Path) -> None:
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = types.MessageActionItem("Never")
    path = planted(tmp_path)
    await editor.start(tmp_path, {"runOn": "save"}, vscode_capabilities())
    notebook = editor.open_notebook(path, CELLS)
    editor.notebook_document_did_save(
        types.DidSaveNotebookDocumentParams(types.NotebookDocumentIdentifier(notebook.uri))
    )
    assert "May outpace run code of" in (await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)).message


@pytest.mark.asyncio
async def test_messages_on_notebooks_that_are_not_open_are_survived(editor: Editor, tmp_path: Path) -> None:
    path = planted(tmp_path)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    notebook = Notebook("file:///nowhere/train.ipynb", ["vscode-notebook-cell:/nowhere/train.ipynb#W0"])
    editor.texts[notebook.cells[0]], editor.versions[notebook.cells[0]] = "x", 1
    editor.type_in_cell(notebook, notebook.cells[0], "y")
    editor.close_notebook(notebook)
    editor.show(path.as_uri(), path.read_text(), "json")  # opened as text, by an editor without notebooks
    assert await editor.actions(path.as_uri(), 0, []) == []
    assert await editor.left() == []
