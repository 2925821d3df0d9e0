"""An audited patch as the edit of an open document, in the form that the client understands."""

from __future__ import annotations

from collections.abc import Sequence

from lsprotocol import types
from pygls.workspace import TextDocument

from outpace_server.lsp.regions import line_edits


def workspace_edit(parts: Sequence[tuple[TextDocument, str]], *, document_changes: bool) -> types.WorkspaceEdit:
    """Of open documents with their new texts."""
    if not document_changes:
        return types.WorkspaceEdit(changes={document.uri: text_edits(document, new) for document, new in parts})
    return types.WorkspaceEdit(document_changes=[_versioned(document, new) for document, new in parts])


def _versioned(document: TextDocument, new_source: str) -> types.TextDocumentEdit:
    which = types.OptionalVersionedTextDocumentIdentifier(uri=document.uri, version=document.version)
    return types.TextDocumentEdit(text_document=which, edits=list(text_edits(document, new_source)))


def text_edits(document: TextDocument, new_source: str) -> list[types.TextEdit]:
    lines = list(document.lines)
    found: list[types.TextEdit] = []
    for edit in line_edits(document.source, new_source):
        whole = types.Range(_line_start(lines, edit.start), _line_start(lines, edit.end))
        found.append(types.TextEdit(document.position_codec.range_to_client_units(lines, whole), edit.text))
    return found


def _line_start(lines: list[str], line: int) -> types.Position:
    """Of a last line without an end, the line after it begins where it ends."""
    if line >= len(lines) and lines and not lines[-1].endswith(("\n", "\r")):
        return types.Position(len(lines) - 1, len(lines[-1]))
    return types.Position(line, 0)
