"""Several folders in one window: each is asked about, and one can come and go."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
import pytest_lsp
from editor import Editor, vscode_capabilities
from lsprotocol import types
from planted import FASTER, plant
from pytest_lsp import ClientServerConfig
from wire import COMMAND


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


def folder(path: Path) -> types.WorkspaceFolder:
    return types.WorkspaceFolder(uri=path.as_uri(), name=path.name)


def change(editor: Editor, *, added: tuple[Path, ...] = (), removed: tuple[Path, ...] = ()) -> None:
    event = types.WorkspaceFoldersChangeEvent([folder(one) for one in added], [folder(one) for one in removed])
    editor.workspace_did_change_workspace_folders(types.DidChangeWorkspaceFoldersParams(event))


async def asked_about(editor: Editor) -> str:
    return str((await editor.expect(types.WINDOW_SHOW_MESSAGE_REQUEST)).message).split()[5]


def project(path: Path) -> Path:
    path.mkdir()
    return plant(path, ("faster-add", FASTER, {}))


@pytest.mark.asyncio
async def test_each_folder_has_its_own_consent_until_it_goes(editor: Editor, tmp_path: Path) -> None:
    """The files have gone by the time that the answer comes: nothing is measured here."""
    editor.answers[types.WINDOW_SHOW_MESSAGE_REQUEST] = None
    one, other = project(tmp_path / "one"), project(tmp_path / "other")
    await editor.start(one.parent, {"runOn": "save"}, vscode_capabilities())
    change(editor, added=(other.parent,))
    first, second = editor.open(one), editor.open(other)
    editor.save(first)
    assert await asked_about(editor) == "one"
    editor.save(second)
    assert await asked_about(editor) == "other"
    editor.save(second)
    change(editor, removed=(other.parent,))
    change(editor, added=(other.parent,))
    editor.save(first)
    editor.save(second)
    assert await asked_about(editor) == "other"
    assert not [method for method, _ in editor.unread if method == types.WINDOW_SHOW_MESSAGE_REQUEST]


@pytest.mark.asyncio
async def test_the_view_follows_the_folders(editor: Editor, tmp_path: Path) -> None:
    capabilities = vscode_capabilities()
    capabilities.experimental = {"outpaceSpeedups": True}
    one, other = project(tmp_path / "one"), project(tmp_path / "other")

    def shown(content: object) -> set[str]:
        return {entry.uri for entry in content.speedups}  # pyright: ignore[reportAttributeAccessIssue]

    await editor.start(one.parent, {"runOn": "never"}, capabilities)
    await editor.expect("outpace/speedups", lambda content: shown(content) == {one.as_uri()})
    change(editor, added=(other.parent,))
    await editor.expect("outpace/speedups", lambda content: shown(content) == {one.as_uri(), other.as_uri()})
    uri = editor.open(other)
    assert len((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics) == 1
    change(editor, removed=(one.parent, other.parent))
    await editor.expect("outpace/speedups", lambda content: shown(content) == {uri})
    assert len(await editor.actions(uri, 3, [])) > 0, "what is open stays as it is"
