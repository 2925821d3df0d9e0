"""A file that is given another name or place keeps its offers, and what was applied to it can be taken back."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import PATIENCE_S, Editor, vscode_capabilities
from lsprotocol import types
from planted import FASTER, SOURCE, plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND

SETTINGS = {"runOn": "never", "consent": "never"}
IMPORTING = "import helper\n" + SOURCE
FASTER_IMPORTING = "import helper\n" + FASTER


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def close(editor: Editor, uri: str) -> None:
    editor.text_document_did_close(types.DidCloseTextDocumentParams(types.TextDocumentIdentifier(uri)))


async def offered(editor: Editor, uri: str, line: int = 3) -> list[str]:
    """Once the server has looked for what it knows: a file behind it is looked at later."""
    await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS, lambda said: said.uri == uri and said.diagnostics)
    return [one.title.partition(":")[0] for one in await editor.actions(uri, line, [])]


async def nothing_offered(editor: Editor, path: Path, witness: Path) -> None:
    """`witness` has offers; by the time that it shows them the file before it would have its own."""
    uri = editor.open(path)
    await offered(editor, editor.open(witness))
    assert await editor.actions(uri, 3, []) == await editor.actions(uri, 4, []) == []
    assert not [one for method, one in editor.unread if "publishDiagnostics" in method and one.uri == uri]


@pytest.mark.asyncio
async def test_a_renamed_file_has_its_offers_and_its_way_back(editor: Editor, tmp_path: Path) -> None:
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    uri = editor.open(path)
    await offered(editor, uri)
    close(editor, uri)
    uri = editor.open(path.rename(tmp_path / "renamed.py"))
    assert (await offered(editor, uri))[0] == "Apply faster-add in work"

    apply = await editor.code_action_resolve_async((await editor.actions(uri, 3, []))[0])
    assert apply.edit is not None and apply.command is not None
    editor.apply(uri, apply.edit)
    await editor.command(apply.command.command, *(apply.command.arguments or []))
    editor.save(uri)
    close(editor, uri)
    uri = editor.open((tmp_path / "renamed.py").rename(tmp_path / "again.py"))
    titles: list[str] = []
    async with asyncio.timeout(PATIENCE_S):  # what was applied is marked by nothing that comes by itself
        while not titles:
            titles = [one.title for one in await editor.actions(uri, 3, [])]
    assert titles == ["Revert faster-add in work"]


@pytest.mark.asyncio
async def test_what_it_imports_has_to_come_along(editor: Editor, tmp_path: Path) -> None:
    """A folder that was renamed, and then a file alone that was moved to where another module has that name."""
    folder = tmp_path / "one"
    folder.mkdir()
    (folder / "helper.py").write_text("x = 1\n")
    path = plant(tmp_path, ("faster-add", FASTER_IMPORTING, {}), source=IMPORTING, name="one/model.py")
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    moved = folder.rename(tmp_path / "two") / path.name
    assert (await offered(editor, editor.open(moved), 4))[0] == "Apply faster-add in work"

    other = tmp_path / "three"
    other.mkdir()
    (other / "helper.py").write_text("x = 2\n")
    elsewhere = moved.rename(other / path.name)
    witness = plant(tmp_path, ("faster-add", FASTER, {}), name="witness.py", ids="w")
    await nothing_offered(editor, elsewhere, witness)


@pytest.mark.asyncio
async def test_a_project_that_was_moved_whole_keeps_them(editor: Editor, tmp_path: Path) -> None:
    before = tmp_path / "before"
    before.mkdir()
    plant(before, ("faster-add", FASTER, {}))
    after = before.rename(tmp_path / "after")
    await editor.start(after, SETTINGS, vscode_capabilities())
    assert (await offered(editor, editor.open(after / "model.py")))[0] == "Apply faster-add in work"


@pytest.mark.asyncio
async def test_a_copy_in_another_folder_has_none_of_its_own(editor: Editor, tmp_path: Path) -> None:
    """Nor takes those of its namesake away: verdicts are asked for by their ids."""
    path = plant(tmp_path, ("faster-add", FASTER, {}))
    copy = tmp_path / "copy" / path.name
    copy.parent.mkdir()
    shutil.copy(path, copy)
    await editor.start(tmp_path, SETTINGS, vscode_capabilities())
    await nothing_offered(editor, copy, path)
