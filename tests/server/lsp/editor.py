"""An editor for protocol tests: a pytest-lsp client with VS Code's capabilities that loses no message."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cattrs import Converter
from lsprotocol import converters, types
from pygls.protocol import default_converter
from pytest_lsp import LanguageClient

VSCODE = Path(__file__).parent / "vscode-1.139-capabilities.json"
PATIENCE_S = 120.0

Message = tuple[str, Any]


def vscode_capabilities() -> types.ClientCapabilities:
    return converters.get_converter().structure(json.loads(VSCODE.read_text()), types.ClientCapabilities)


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


class Editor(LanguageClient):
    """Everything that the server says lies in `unread` until a test has taken it out."""

    def __init__(self) -> None:
        super().__init__(converter_factory=converter)
        self.unread: list[Message] = []
        self.texts: dict[str, str] = {}
        self.versions: dict[str, int] = {}
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

    def _handler(self, method: str) -> Callable[..., Any]:
        async def hear(params: Any) -> Any:
            async with self._arrived:
                self.unread.append((method, params))
                self._arrived.notify_all()
            return self.answers.get(method)

        return hear

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
        await self.initialize_session(
            types.InitializeParams(
                capabilities=capabilities,
                workspace_folders=[types.WorkspaceFolder(uri=root.as_uri(), name=root.name)],
                initialization_options={"settings": settings},
            )
        )

    def open(self, path: Path) -> str:
        uri, text = path.as_uri(), path.read_text()
        self.texts[uri], self.versions[uri] = text, 1
        item = types.TextDocumentItem(uri=uri, language_id="python", version=1, text=text)
        self.text_document_did_open(types.DidOpenTextDocumentParams(text_document=item))
        return uri

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
        Path(uri.removeprefix("file://")).write_text(self.texts[uri])
        self.text_document_did_save(types.DidSaveTextDocumentParams(types.TextDocumentIdentifier(uri)))

    async def actions(self, uri: str, line: int, diagnostics: list[types.Diagnostic]) -> list[types.CodeAction]:
        asked = types.CodeActionParams(
            text_document=types.TextDocumentIdentifier(uri),
            range=types.Range(types.Position(line, 0), types.Position(line, 0)),
            context=types.CodeActionContext(diagnostics=diagnostics),
        )
        found = await self.text_document_code_action_async(asked)
        return [action for action in found or [] if isinstance(action, types.CodeAction)]

    def apply(self, uri: str, edit: types.WorkspaceEdit) -> None:
        """As VS Code does it: the edits of one document, from its end to its start."""
        if edit.document_changes is None:
            assert edit.changes is not None
            ((changed, edits),) = edit.changes.items()
            assert changed == uri
        else:
            (change,) = edit.document_changes
            assert isinstance(change, types.TextDocumentEdit) and change.text_document.uri == uri
            assert change.text_document.version == self.versions[uri]
            edits = change.edits
        lines = self.texts[uri].splitlines(keepends=True)
        for one in sorted(edits, key=lambda e: e.range.start.line, reverse=True):
            assert one.range.start.character == one.range.end.character == 0
            lines[one.range.start.line : one.range.end.line] = [one.new_text]  # type: ignore[union-attr]
        self.type(uri, "".join(lines))

    async def command(self, name: str, *arguments: Any) -> None:
        await self.workspace_execute_command_async(types.ExecuteCommandParams(command=name, arguments=list(arguments)))
