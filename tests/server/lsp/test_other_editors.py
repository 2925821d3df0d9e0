"""The way from open to reverted in editors that nobody has here: what each announces (`announced/`, read from its
source), and what it does with what it is sent."""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest
import pytest_lsp
from awkward import LAST, faster, with_rockets
from cattrs import Converter
from editor import Editor, capabilities_of
from lsprotocol import converters, types
from planted import plant, rejected
from pytest_lsp import ClientServerConfig
from wire import COMMAND

ANNOUNCED = Path(__file__).parent / "announced"
SETTINGS = {"runOn": "never", "consent": "never"}
SOURCE = with_rockets(LAST).replace("\n", "\r\n").rstrip("\r\n")
FASTER = faster(SOURCE)
HEADER = "def work(x):  # 🚀é"
EXACT = {"numerics": "exact"}
MEASURING = (types.WINDOW_WORK_DONE_PROGRESS_CREATE, types.PROGRESS, types.WINDOW_LOG_MESSAGE)
"""An applied edit is measured again, which is cancelled as soon as it has begun."""


@dataclass(frozen=True, slots=True)
class Client:
    """`resolves`: which code actions it asks about once they are chosen. `only`: the kinds that it always asks for.
    `command_after_edit`: whether it runs the command of an action that has an edit too. `put_away`: its answer to a
    question that the user has closed. `bare_settings`: its users write settings without the group `settings`."""

    editor: str
    read_from: str
    capabilities: dict[str, Any]
    resolves: Literal["what is missing", "edit", "neither edit nor command", "never"]
    command_after_edit: bool = True
    folders: bool = True
    process: bool = True
    only: Sequence[str] | None = None
    settings_answer: Any = field(default_factory=lambda: [None])
    put_away: Any = None
    bare_settings: bool = False

    def initialize(self, root: Path, settings: dict[str, Any]) -> types.InitializeParams:
        folder = types.WorkspaceFolder(uri=root.as_uri(), name=root.name)
        return types.InitializeParams(
            process_id=1 if self.process else None,
            root_path=str(root),
            root_uri=root.as_uri(),
            workspace_folders=[folder] if self.folders else None,
            capabilities=_structured(self.capabilities),
            initialization_options=settings if self.bare_settings else {"settings": settings},
        )

    @property
    def encoding(self) -> str:
        return self.capabilities.get("general", {}).get("positionEncodings", ["utf-16"])[0]

    def asks_about(self, action: types.CodeAction) -> bool:
        return {
            "what is missing": action.edit is None or action.command is None,
            "edit": action.edit is None,
            "neither edit nor command": action.edit is None and action.command is None,
            "never": False,
        }[self.resolves]


def _structured(capabilities: dict[str, Any]) -> types.ClientCapabilities:
    made: Converter = converters.get_converter()
    return made.structure(capabilities, types.ClientCapabilities)


def _neovim(encoding: str) -> Client:
    announced = converters.get_converter().unstructure(capabilities_of("neovim@v0.11"))
    announced["general"] = {"positionEncodings": [encoding]}
    return Client("Neovim 0.11", "pytest-lsp", announced, "what is missing")


CLIENTS = {path.stem: Client(**json.loads(path.read_text())) for path in sorted(ANNOUNCED.glob("*.json"))} | {
    f"neovim {encoding}": _neovim(encoding) for encoding in ("utf-8", "utf-16", "utf-32")
}


@pytest_lsp.fixture(config=ClientServerConfig(server_command=COMMAND, client_factory=Editor))
async def editor(lsp_client: Editor) -> AsyncGenerator[None]:
    yield
    await lsp_client.end()


async def diagnostics(editor: Editor) -> list[types.Diagnostic]:
    return list((await editor.expect(types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS)).diagnostics)


class Person:
    """At the first line of the target in an open file."""

    def __init__(self, editor: Editor, client: Client, uri: str) -> None:
        self.editor, self.client, self.uri = editor, client, uri

    async def menu(self) -> dict[str, types.CodeAction | types.Command]:
        """What is listed, by the first words of each title."""
        line = self.editor.texts[self.uri].splitlines().index(HEADER)
        found = await self.editor.actions_or_commands(self.uri, line, [], self.client.only)
        return {one.title.partition(":")[0]: one for one in found if not getattr(one, "disabled", None)}

    async def chooses(self, title: str) -> None:
        editor, chosen = self.editor, (await self.menu())[title]
        if isinstance(chosen, types.CodeAction) and self.client.asks_about(chosen):
            chosen = await editor.code_action_resolve_async(chosen)
        edit = chosen.edit if isinstance(chosen, types.CodeAction) else None
        command = chosen.command if isinstance(chosen, types.CodeAction) else chosen
        if edit is not None:
            editor.apply_in_place(self.uri, edit)
        if command is not None and (edit is None or self.client.command_after_edit):
            await editor.command(command.command, *(command.arguments or []))

    async def is_shown_the_gain(self) -> None:
        document, editor = types.TextDocumentIdentifier(self.uri), self.editor
        announced = editor.capabilities.text_document
        line = editor.texts[self.uri].splitlines().index(HEADER)
        if announced.code_lens:
            (lens,) = await editor.text_document_code_lens_async(types.CodeLensParams(document)) or []
            assert lens.command is not None and lens.command.title == "1.42× audited"
        if announced.inlay_hint:
            # from the first line to one that is not there
            whole = types.Range(types.Position(0, 0), types.Position(line + 100, 7))
            (hint,) = await editor.text_document_inlay_hint_async(types.InlayHintParams(document, whole)) or []
            before = types.Range(types.Position(line, 0), hint.position)
            assert hint.label == "3.1 ms a call" and editor.text_in(self.uri, before) == HEADER
        found = await editor.text_document_hover_async(types.HoverParams(document, types.Position(line, 2)))
        assert found is not None and found.range is not None and editor.text_in(self.uri, found.range) == HEADER


@pytest.mark.asyncio
@pytest.mark.parametrize("name", CLIENTS)
async def test_from_open_to_reverted(editor: Editor, tmp_path: Path, name: str) -> None:
    client = CLIENTS[name]
    editor.answers[types.WORKSPACE_APPLY_EDIT] = types.ApplyWorkspaceEditResult(applied=True)
    editor.answers[types.WORKSPACE_CONFIGURATION] = client.settings_answer
    planted = (("faster-add", FASTER, EXACT), ("other", SOURCE.replace("y = x + 1", "y = 1 + x"), rejected()))
    path = plant(tmp_path, *planted, source=SOURCE, name="ä 1/m o d.py")
    await editor.begin(client.initialize(tmp_path, SETTINGS))
    assert editor.encoding == client.encoding
    uri = editor.open(path)
    (shown,) = await diagnostics(editor)
    assert editor.text_in(uri, shown.range) == HEADER
    person = Person(editor, client, uri)
    await person.is_shown_the_gain()

    editor.type(uri, SOURCE.replace("x + 1", "x + 3"))
    assert await diagnostics(editor) == []
    assert not any("faster-add" in title for title in await person.menu())
    editor.type(uri, SOURCE)
    await diagnostics(editor)

    await person.chooses("Dismiss faster-add here")
    assert await diagnostics(editor) == []
    await editor.command("outpace.restoreDismissed")
    await diagnostics(editor)

    await person.chooses("Apply faster-add in work")
    assert editor.texts[uri] == FASTER
    assert await diagnostics(editor) == []
    await editor.command("outpace.cancelAll")
    await person.chooses("Revert faster-add in work")
    if client.capabilities["workspace"].get("applyEdit"):
        editor.apply_in_place(uri, (await editor.expect(types.WORKSPACE_APPLY_EDIT)).edit)
    assert editor.texts[uri] == SOURCE
    assert len(await diagnostics(editor)) == 1
    assert [message for message in await editor.left() if message[0] not in MEASURING] == []
