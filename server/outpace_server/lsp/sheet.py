"""What an address of the editor shows of a text that is measured: all of a file, or one cell of a notebook's module."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from lsprotocol import types
from pygls.workspace import TextDocument


@dataclass(frozen=True, slots=True)
class Sheet:
    """Lines from `first` up to `end` of the `document`, which is what was measured."""

    uri: str
    document: TextDocument
    first: int
    end: int

    @classmethod
    def whole(cls, document: TextDocument) -> Sheet:
        return cls(document.uri, document, 0, sys.maxsize)

    def holds(self, line: int) -> bool:
        return self.first <= line < self.end

    def range_in_document(self, given: types.Range) -> types.Range:
        """Of what the editor means, with columns in characters."""
        if self.document.source.isascii():  # whatever the editor counts, it is these; a long text takes long to split
            return _moved(given, self.first)
        lines = self.document.lines
        lines = lines if self.end == sys.maxsize else lines[self.first : self.end]
        inner = self.document.position_codec.range_from_client_units(lines, given)
        start, end = inner.start, inner.end
        characters = types.Range(types.Position(start.line, start.character), types.Position(end.line, end.character))
        return _moved(characters, self.first)

    def shown(self, range: types.Range) -> types.Range:
        """Of a range in the document, in the editor's units, as the editor counts lines."""
        return _moved(range, -self.first)


def _moved(range: types.Range, lines: int) -> types.Range:
    start, end = range.start, range.end
    return types.Range(
        types.Position(max(0, start.line + lines), start.character),
        types.Position(max(0, end.line + lines), end.character),
    )
