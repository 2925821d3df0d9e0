"""Open documents and notebooks, with the lines that the protocol counts.

pygls (2.1.1) ends a line wherever `str.splitlines` does, at a form feed or U+2028 too. Editors do not, and with the
next edit below such a character the server's text would no longer be the editor's.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from lsprotocol import types
from pygls.workspace import PositionCodec, TextDocument, Workspace

from outpace_optimizers.notebook import Module, module_of
from outpace_optimizers.source import lines_of
from outpace_server.lsp.regions import line_edits
from outpace_server.lsp.sheet import Sheet

LOGGED = 200
"""Characters of an address in the log."""
logger = logging.getLogger("outpace")


class Document(TextDocument):
    """Its lines are kept for its text: every question about a range needs them, and a key changes few of them."""

    _split: tuple[str, list[str]] = ("", [])

    @property
    def lines(self) -> Sequence[str]:
        text = self.source
        if self._split[0] is not text:
            self._split = (text, lines_of(text))
        return self._split[1]

    def _apply_incremental_change(self, change: types.TextDocumentContentChangePartial) -> None:
        """pygls (2.1.1) writes all lines anew, one by one, and splits the text for that: of 10,000 lines, this was most
        of what a key costs. A column past the end of its line is that end, as the protocol says."""
        lines = self.lines
        (first, start), (last, end) = sorted(self._place(at) for at in (change.range.start, change.range.end))
        before, after = "".join(lines[first : first + 1])[:start], "".join(lines[last : last + 1])[end:]
        if first and lines[first - 1].endswith("\r"):  # a \n that comes behind it ends the same line
            first -= 1
            before = lines[first] + before
        now = [*lines[:first], *lines_of(before + change.text + after), *lines[last + 1 :]]
        self._source = "".join(now)
        self._split = (self._source, now)

    def _place(self, at: types.Position) -> tuple[int, int]:
        """Line and column in characters; the end of the text for what lies behind it."""
        lines = self.lines
        if at.line < len(lines):
            return at.line, _column(self.position_codec, lines[at.line].rstrip("\r\n"), at.character)
        if not lines or lines[-1].endswith(("\r", "\n")):
            return len(lines), 0
        return len(lines) - 1, len(lines[-1])


def _column(codec: PositionCodec, line: str, units: int) -> int:
    if line.isascii():
        return min(units, len(line))
    counted = 0
    for column, character in enumerate(line):
        if counted >= units:
            return column
        counted += codec.client_num_units(character)
    return len(line)


class Documents(Workspace):
    @classmethod
    def like(cls, workspace: Workspace) -> Documents:
        """The same workspace, with nothing open."""
        folders = list(workspace.folders.values())
        return cls(workspace.root_uri, workspace_folders=folders, position_encoding=workspace.position_encoding)

    def update_text_document(
        self, text_doc: types.VersionedTextDocumentIdentifier, change: types.TextDocumentContentChangeEvent
    ) -> None:
        if unquote(text_doc.uri) in self.text_documents:
            super().update_text_document(text_doc, change)
        else:
            logger.warning("%s was changed, but is not open", text_doc.uri[:LOGGED])

    def update_notebook_document(self, params: types.DidChangeNotebookDocumentParams) -> None:
        if self.get_notebook_document(notebook_uri=params.notebook_document.uri) is not None:
            structure = params.change.cells.structure if params.change.cells else None
            if structure is not None and structure.did_open and structure.did_close:
                # pygls closes last: a cell that was taken out and put back in one message would be gone
                opened = {unquote(cell.uri) for cell in structure.did_open}
                structure.did_close = [one for one in structure.did_close if unquote(one.uri) not in opened]
            super().update_notebook_document(params)
        else:
            logger.warning("%s was changed, but is not open", params.notebook_document.uri[:LOGGED])

    def measured(self, uri: str) -> TextDocument | None:
        """What is open under an address and can be measured: a file, or a notebook as one module."""
        if (notebook := self.get_notebook_document(notebook_uri=uri)) is not None:
            module, _ = self._module(notebook)
            return self._create_text_document(notebook.uri, module.text, notebook.version, "python")
        return None if self.notebook_of(uri) is not None else self.text_documents.get(unquote(uri))

    @property
    def measured_uris(self) -> list[str]:
        """As the editor spells them."""
        files = [one.uri for one in self.text_documents.values() if self.notebook_of(one.uri) is None]
        return [*files, *(notebook.uri for notebook in self.notebook_documents.values())]

    def notebook_of(self, uri: str) -> types.NotebookDocument | None:
        """The notebook that has the cell of this address."""
        return self.get_notebook_document(cell_uri=uri)

    def sheet(self, uri: str) -> Sheet | None:
        """Of a file, or of one of the cells that make up a notebook's module."""
        notebook = self.notebook_of(uri)
        document = self.measured(notebook.uri if notebook else uri)
        if document is None or notebook is None:
            return Sheet.whole(document) if document is not None else None
        return next((sheet for sheet in self._sheets(notebook, document) if unquote(sheet.uri) == unquote(uri)), None)

    def sheets(self, document: TextDocument) -> list[Sheet]:
        """All that shows a part of it."""
        notebook = self.get_notebook_document(notebook_uri=document.uri)
        return [Sheet.whole(document)] if notebook is None else list(self._sheets(notebook, document))

    def changed_parts(self, document: TextDocument, new_source: str) -> list[tuple[TextDocument, str]] | None:
        """The open documents that a new text of the measured one changes, with their new texts. None where that cannot
        be said in cells."""
        notebook = self.get_notebook_document(notebook_uri=document.uri)
        if notebook is None:
            return [(document, new_source)]
        module, cells = self._module(notebook)
        edits = [(edit.start, edit.end, edit.text) for edit in line_edits(module.text, new_source)]
        changed = module.cells_after(edits)
        return None if changed is None else [(cells[number], text) for number, text in sorted(changed.items())]

    def _sheets(self, notebook: types.NotebookDocument, document: TextDocument) -> Iterator[Sheet]:
        module, cells = self._module(notebook)
        for cell, placed in zip(cells, module.cells, strict=True):
            yield Sheet(cell.uri, document, placed.first, placed.end)

    def _module(self, notebook: types.NotebookDocument) -> tuple[Module, list[TextDocument]]:
        """Of its Python cells alone."""
        open_cells = [
            self.text_documents.get(unquote(cell.document))
            for cell in notebook.cells
            if cell.kind == types.NotebookCellKind.Code
        ]
        cells = [cell for cell in open_cells if cell is not None and cell.language_id == "python"]
        return module_of(tuple(cell.source for cell in cells)), cells

    def _create_text_document(
        self, doc_uri: str, source: str | None = None, version: int | None = None, language_id: str | None = None
    ) -> Document:
        sync = types.TextDocumentSyncKind.Incremental
        return Document(doc_uri, source, version, language_id, sync_kind=sync, position_codec=self.position_codec)
