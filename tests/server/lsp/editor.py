"""An editor for protocol tests: a pytest-lsp client with VS Code's capabilities that loses no message."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cattrs import Converter
from clients import VSCODE, breaches
from lsprotocol import converters, types
from pygls import uris
from pygls.protocol import default_converter
from pygls.workspace import PositionCodec
from pytest_lsp import LanguageClient, client_capabilities

from outpace_optimizers.source import lines_of
from outpace_optimizers.targets.source_text import SourceText, read_source

PROFILES = ["vscode", "neovim@v0.11", "emacs@v29.1"]
PATIENCE_S = 120.0

ROUTINE = (
    types.CLIENT_REGISTER_CAPABILITY,
    types.WORKSPACE_CONFIGURATION,
    types.WORKSPACE_CODE_LENS_REFRESH,
    types.WORKSPACE_INLAY_HINT_REFRESH,
)

Message = tuple[str, Any]


@dataclass
class Notebook:
    """`cells`: their addresses, in order."""

    uri: str
    cells: list[str]
    version: int = 1


def vscode_capabilities() -> types.ClientCapabilities:
    return converters.get_converter().structure(VSCODE, types.ClientCapabilities)


def capabilities_of(profile: str) -> types.ClientCapabilities:
    return vscode_capabilities() if profile == "vscode" else client_capabilities(profile)


def converter() -> Converter:
    """lsprotocol 2025.0.0 takes every code action with a command for a bare command."""
    made = default_converter()
    either = types.Command | types.CodeAction
    made.register_structure_hook(
        either,
        lambda given, _: made.structure(
            given, types.Command if isinstance(given.get("command"), str) else types.CodeAction
        ),
    )
    return made


def _kind(language: str) -> types.NotebookCellKind:
    return types.NotebookCellKind.Markup if language == "markdown" else types.NotebookCellKind.Code


class Editor(LanguageClient):
    """Everything that the server says lies in `unread` until a test has taken it out."""

    def __init__(self) -> None:
        super().__init__(converter_factory=converter)
        self.unread: list[Message] = []
        self.breaches: list[str] = []
        """What the server has sent although this editor had not announced that it can be sent."""
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.files: dict[str, SourceText] = {}
        self.answers: dict[str, Any] = {
            types.WORKSPACE_CONFIGURATION: [None],
            types.WINDOW_SHOW_DOCUMENT: types.ShowDocumentResult(success=True),
        }
        self._arrived = asyncio.Condition()
        for method in (
            types.TEXT_DOCUMENT_PUBLISH_DIAGNOSTICS,
            types.PROGRESS,
            types.WINDOW_LOG_MESSAGE,
            types.WINDOW_SHOW_MESSAGE,
            types.WINDOW_SHOW_MESSAGE_REQUEST,
            types.WINDOW_SHOW_DOCUMENT,
            types.WINDOW_WORK_DONE_PROGRESS_CREATE,
            types.WORKSPACE_CONFIGURATION,
            types.WORKSPACE_APPLY_EDIT,
            types.WORKSPACE_CODE_LENS_REFRESH,
            types.WORKSPACE_INLAY_HINT_REFRESH,
            types.CLIENT_REGISTER_CAPABILITY,
            "outpace/status",
            "outpace/speedups",
        ):
            self.feature(method)(self._handler(method))
        self._send = self.protocol.send_request_async
        self.protocol.send_request_async = self._ask

    def _handler(self, method: str) -> Callable[..., Any]:
        async def hear(params: Any) -> Any:
            self.breaches += breaches(self.capabilities, method, params)
            async with self._arrived:
                self.unread.append((method, params))
                self._arrived.notify_all()
            return self.answers.get(method)

        return hear

    async def _ask(self, method: str, params: Any = None, msg_id: str | None = None) -> Any:
        result = await self._send(method, params, msg_id)
        self.breaches += breaches(self.capabilities, method, result)
        return result

    async def end(self) -> None:
        await self.shutdown_session()
        assert self.breaches == []

    async def expect(self, method: str, where: Callable[[Any], bool] = lambda params: True) -> Any:
        """The first unread message of a method that fits, waited for if need be, and taken out."""

        def found() -> Message | None:
            return next((m for m in self.unread if m[0] == method and where(m[1])), None)

        async with self._arrived:
            try:
                await asyncio.wait_for(self._arrived.wait_for(lambda: found() is not None), PATIENCE_S)
            except TimeoutError:
                said = [m for m in self.unread if m[0] != types.PROGRESS]
                raise AssertionError(f"no {method} that fits came; unread: {said}") from None
            message = found()
            assert message is not None
            self.unread.remove(message)
            return message[1]

    async def left(self) -> list[Message]:
        """What nobody has read, once the server has said all it had to: without what it asks of every editor at its
        start, and without refreshes, of which one is as good as three."""
        await self.text_document_hover_async(
            types.HoverParams(types.TextDocumentIdentifier(next(iter(self.texts))), types.Position(0, 0))
        )
        return [message for message in self.unread if message[0] not in ROUTINE]

    async def progress(self, title: str) -> list[str]:
        """One progress from its creation to its end: what it said."""
        token = (await self.expect(types.WINDOW_WORK_DONE_PROGRESS_CREATE)).token
        said: list[str] = []
        while True:
            value = (await self.expect(types.PROGRESS, lambda params: params.token == token)).value
            kind = value["kind"] if isinstance(value, dict) else value.kind
            message = value.get("message") if isinstance(value, dict) else value.message
            if kind == "begin":
                assert (value["title"] if isinstance(value, dict) else value.title) == title
            said.append(message or "")
            if kind == "end":
                return said

    async def start(self, root: Path, settings: dict[str, Any], capabilities: types.ClientCapabilities) -> None:
        await self.begin(
            types.InitializeParams(
                capabilities=capabilities,
                workspace_folders=[types.WorkspaceFolder(uri=root.as_uri(), name=root.name)],
                initialization_options={"settings": settings},
            )
        )

    async def begin(self, params: types.InitializeParams) -> None:
        answer = await self.initialize_session(params)
        self.encoding = answer.capabilities.position_encoding or "utf-16"

    def open(self, path: Path) -> str:
        uri = path.as_uri()
        self.files[uri] = read_source(path)
        self.show(uri, self.files[uri].text)
        return uri

    def show(self, uri: str, text: str, language: str = "python") -> None:
        """A document that need not be a file."""
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))

    def type(self, uri: str, text: str) -> None:
        """The whole text becomes another one."""
        self.texts[uri] = text
        self.versions[uri] += 1
        self.text_document_did_change(
            types.DidChangeTextDocumentParams(
                text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri]),
                content_changes=[types.TextDocumentContentChangeWholeDocument(text=text)],
            )
        )

    def save(self, uri: str) -> None:
        path = uris.to_fs_path(uri)
        assert path is not None
        Path(path).write_bytes(self.files[uri].encode_edit(self.texts[uri]))
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def actions(self, uri: str, line: int, diagnostics: list[types.Diagnostic]) -> list[types.CodeAction]:
        found = await self.actions_or_commands(uri, line, diagnostics)
        return [action for action in found if isinstance(action, types.CodeAction)]

    async def actions_or_commands(
        self, uri: str, line: int, diagnostics: list[types.Diagnostic], only: Sequence[str] | None = None
    ) -> Sequence[types.CodeAction | types.Command]:
        asked = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri),
            range=types.Range(types.Position(line, 0), types.Position(line, 0)),
            context=types.CodeActionContext(diagnostics=diagnostics, only=only),
        )
        return await self.text_document_code_action_async(asked) or []

    def apply(self, uri: str, edit: types.WorkspaceEdit) -> None:
        """As editors do it: the edits of one document, from its end to its start."""
        self.type(uri, self._edited(uri, self._edits_of(uri, edit)))

    def apply_in_place(self, uri: str, edit: types.WorkspaceEdit) -> None:
        """As most editors tell of it: one message for each edit, with its place."""
        for one in sorted(self._edits_of(uri, edit), key=lambda one: self._index(self.texts[uri], one.range.start))[
            ::-1
        ]:
            self.texts[uri] = self._edited(uri, [one])
            self.versions[uri] += 1
            self.text_document_did_change(
                types.DidChangeTextDocumentParams(
                    text_document=types.VersionedTextDocumentIdentifier(uri=uri, version=self.versions[uri]),
                    content_changes=[types.TextDocumentContentChangePartial(range=one.range, text=one.new_text)],
                )
            )

    def _edited(self, uri: str, edits: Sequence[types.TextEdit]) -> str:
        text = self.texts[uri]
        for one in sorted(edits, key=lambda one: self._index(text, one.range.start), reverse=True):
            start, end = self._index(text, one.range.start), self._index(text, one.range.end)
            text = text[:start] + one.new_text + text[end:]
        return text

    def open_notebook(self, path: Path, cells: Sequence[str], languages: Sequence[str] = ()) -> Notebook:
        uri = path.as_uri()
        notebook = Notebook(uri, [f"vscode-notebook-cell:{path}#W{number}" for number in range(len(cells))])
        documents = [
            self._cell(cell, text, language)
            for cell, text, language in zip(notebook.cells, cells, languages or ["python"] * len(cells), strict=True)
        ]
        kinds = [_kind(document.language_id) for document in documents]
        made = [types.NotebookCell(kind, cell) for kind, cell in zip(kinds, notebook.cells, strict=True)]
        opened = types.NotebookDocument(uri=uri, notebook_type="jupyter-notebook", version=1, cells=made)
        self.notebook_document_did_open(types.DidOpenNotebookDocumentParams(opened, documents))
        return notebook

    def _cell(self, uri: str, text: str, language: str = "python") -> types.TextDocumentItem:
        self.texts[uri], self.versions[uri] = text, 1
        return types.TextDocumentItem(uri=uri, language_id=language, version=1, text=text)

    def type_in_cell(self, notebook: Notebook, cell: str, text: str) -> None:
        self.texts[cell], self.versions[cell] = text, self.versions[cell] + 1
        which = types.VersionedTextDocumentIdentifier(uri=cell, version=self.versions[cell])
        change = types.TextDocumentContentChangeWholeDocument(text=text)
        content = types.NotebookDocumentCellContentChanges(which, [change])
        self._change_notebook(notebook, types.NotebookDocumentCellChanges(text_content=[content]))

    def insert_cell(self, notebook: Notebook, at: int, text: str) -> str:
        uri = f"{notebook.cells[0]}-{notebook.version}"
        notebook.cells.insert(at, uri)
        array = types.NotebookCellArrayChange(at, 0, [types.NotebookCell(types.NotebookCellKind.Code, uri)])
        structure = types.NotebookDocumentCellChangeStructure(array, did_open=[self._cell(uri, text)])
        self._change_notebook(notebook, types.NotebookDocumentCellChanges(structure=structure))
        return uri

    def remove_cell(self, notebook: Notebook, cell: str) -> None:
        array = types.NotebookCellArrayChange(notebook.cells.index(cell), 1)
        notebook.cells.remove(cell)
        gone = [types.TextDocumentIdentifier(cell)]
        structure = types.NotebookDocumentCellChangeStructure(array, did_close=gone)
        self._change_notebook(notebook, types.NotebookDocumentCellChanges(structure=structure))

    def move_cell(self, notebook: Notebook, cell: str, to: int) -> None:
        """As VS Code tells it: taken out and put in as cells of one change each, and open all the while."""
        at = notebook.cells.index(cell)
        notebook.cells.insert(to, notebook.cells.pop(at))
        own = types.NotebookCell(types.NotebookCellKind.Code, cell)
        for array in (types.NotebookCellArrayChange(at, 1, []), types.NotebookCellArrayChange(to, 0, [own])):
            structure = types.NotebookDocumentCellChangeStructure(array)
            self._change_notebook(notebook, types.NotebookDocumentCellChanges(structure=structure))

    def close_notebook(self, notebook: Notebook) -> None:
        cells = [types.TextDocumentIdentifier(cell) for cell in notebook.cells]
        which = types.NotebookDocumentIdentifier(notebook.uri)
        self.notebook_document_did_close(types.DidCloseNotebookDocumentParams(which, cells))

    def apply_to_cells(self, notebook: Notebook, edit: types.WorkspaceEdit) -> None:
        """Of cells at the versions that they have."""
        for change in edit.document_changes or []:
            assert isinstance(change, types.TextDocumentEdit)
            cell = change.text_document.uri
            assert cell in notebook.cells and change.text_document.version == self.versions[cell]
            edits = [one for one in change.edits if isinstance(one, types.TextEdit)]
            self.type_in_cell(notebook, cell, self._edited(cell, edits))

    def _change_notebook(self, notebook: Notebook, cells: types.NotebookDocumentCellChanges) -> None:
        notebook.version += 1
        which = types.VersionedNotebookDocumentIdentifier(notebook.version, notebook.uri)
        change = types.NotebookDocumentChangeEvent(cells=cells)
        self.notebook_document_did_change(types.DidChangeNotebookDocumentParams(which, change))

    def text_in(self, uri: str, span: types.Range) -> str:
        text = self.texts[uri]
        return text[self._index(text, span.start) : self._index(text, span.end)]

    def _edits_of(self, uri: str, edit: types.WorkspaceEdit) -> list[types.TextEdit]:
        if edit.document_changes is None:
            assert edit.changes is not None
            ((changed, edits),) = edit.changes.items()
            assert changed == uri
            return list(edits)
        (change,) = edit.document_changes
        assert isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri
        assert change.text_document.version == self.versions[uri]
        return [one for one in change.edits if isinstance(one, types.TextEdit)]

    def _index(self, text: str, place: types.Position) -> int:
        """In the units that were agreed on; a place outside of the text fails."""
        lines = lines_of(text)
        if place.line == len(lines):
            assert place.character == 0 and text.endswith(("\n", "\r"))
            return len(text)
        units = PositionCodec(self.encoding)
        line = lines[place.line]
        column = next(c for c in range(len(line) + 1) if units.client_num_units(line[:c]) == place.character)
        return sum(map(len, lines[: place.line])) + column

    async def command(self, name: str, *arguments: Any) -> None:
        await self.workspace_execute_command_async(types.ExecuteCommandParams(command=name, arguments=list(arguments)))
