"""The server's copy of a text is the editor's, whatever is typed and in whatever units the editor counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from outpace_server.lsp.documents import Documents

URI = "file:///a%20b/model.py"
UNITS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
"""Of one unit."""
TEXT = st.text(st.sampled_from("ab é😀\n\r\f\v\u2028\x85"), max_size=30)


def places(text: str, encoding: str) -> list[tuple[int, types.Position]]:
    """Every place in a text, as an index and as the protocol has it: \\n, \\r\\n and \\r alone end a line."""
    found: list[tuple[int, types.Position]] = []
    start = 0
    for number, line in enumerate(re.split(r"\r\n|\r|\n", text)):
        for column in range(len(line) + 1):
            units = len(line[:column].encode(UNITS[encoding])) // BYTES[encoding]
            found.append((start + column, types.Position(number, units)))
        end = start + len(line)
        start = end + (2 if text[end : end + 2] == "\r\n" else 1)
    return found


@pytest.mark.parametrize("encoding", UNITS)
@given(data=st.data())
def test_edits_arrive(encoding: str, data: Any) -> None:
    text = data.draw(TEXT)
    documents = Documents(None, position_encoding=encoding)
    documents.put_text_document(types.TextDocumentItem(URI, "python", 1, text))
    for version in range(2, 5):
        (start, first), (end, last) = sorted(
            (data.draw(st.sampled_from(places(text, encoding))) for _ in range(2)), key=lambda place: place[0]
        )
        put = data.draw(TEXT)
        text = text[:start] + put + text[end:]
        change = types.TextDocumentContentChangePartial(types.Range(first, last), put)
        documents.update_text_document(types.VersionedTextDocumentIdentifier(version, URI), change)
        assert documents.get_text_document(URI).source == text


def test_a_change_of_what_is_not_open_is_left_alone() -> None:
    documents = Documents(None)
    whole = types.TextDocumentContentChangeWholeDocument("x")
    documents.update_text_document(types.VersionedTextDocumentIdentifier(1, URI), whole)
    assert documents.text_documents == {}


def test_a_text_is_split_once() -> None:
    documents = Documents(None)
    documents.put_text_document(types.TextDocumentItem(URI, "python", 1, "a\nb"))
    document = documents.get_text_document(URI)
    assert document.lines == ["a\n", "b"]
    assert document.lines is document.lines
    change = types.TextDocumentContentChangePartial(types.Range(types.Position(0, 1), types.Position(1, 0)), "")
    documents.update_text_document(types.VersionedTextDocumentIdentifier(2, URI), change)
    assert document.lines == ["ab"]
