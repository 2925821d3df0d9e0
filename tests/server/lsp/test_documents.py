"""The server's copy of a text is the editor's, whatever is typed and in whatever units the editor counts."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from outpace_optimizers.source import lines_of
from outpace_server.lsp.documents import Documents

URI = "file:///a%20b/model.py"
UNITS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
"""Of one unit."""
TEXT = st.text(st.sampled_from("ab é😀\n\r\f\v\u2028\x85"), max_size=30)


def opened(text: str) -> Documents:
    documents = Documents(None)
    documents.put_text_document(types.TextDocumentItem(URI, "python", 1, text))
    return documents


def change(documents: Documents, span: types.Range, text: str) -> None:
    made = types.TextDocumentContentChangePartial(span, text)
    documents.update_text_document(types.VersionedTextDocumentIdentifier(2, URI), made)


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
        document = documents.get_text_document(URI)
        assert document.source == text
        assert list(document.lines) == lines_of(text)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
@pytest.mark.parametrize("line", ["ab", "é😀"])
def test_a_column_past_the_end_of_a_line_is_its_end(line: str, end: str) -> None:
    """As the specification has it; pygls (2.1.1) takes it for the next line, or leaves a character."""
    documents = opened(f"{line}{end}")
    change(documents, types.Range(types.Position(0, 1), types.Position(0, 99)), "x")
    assert documents.get_text_document(URI).source == f"{line[0]}x{end}"


def test_a_place_past_the_end_of_a_text_is_its_end() -> None:
    for text in ("", "a", "a\n"):
        documents = opened(text)
        change(documents, types.Range(types.Position(7, 3), types.Position(9, 0)), "x")
        assert documents.get_text_document(URI).source == f"{text}x"


def test_a_key_in_a_long_text_splits_no_more_than_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    documents = opened("a = 1\n" * 10_000)
    before = documents.get_text_document(URI).lines
    split: list[str] = []
    monkeypatch.setattr("outpace_server.lsp.documents.lines_of", lambda text: split.append(text) or lines_of(text))
    change(documents, types.Range(types.Position(5000, 5), types.Position(5000, 5)), "2")
    document = documents.get_text_document(URI)
    assert document.lines[5000] == "a = 12\n"
    assert split == ["a = 12\n"]
    assert before[5000] == "a = 1\n", "who holds the lines of a text has those"


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


def test_a_cell_that_is_taken_out_and_put_back_in_one_message_is_there() -> None:
    documents, notebook, cell = Documents(None), "file:///n.ipynb", "cell:n.ipynb#1"
    text = types.TextDocumentItem(cell, "python", 1, "x = 1")
    made = types.NotebookCell(types.NotebookCellKind.Code, cell)
    document = types.NotebookDocument(notebook, "jupyter-notebook", 1, [made])
    documents.put_notebook_document(types.DidOpenNotebookDocumentParams(document, [text]))
    array = types.NotebookCellArrayChange(0, 1, [made])
    structure = types.NotebookDocumentCellChangeStructure(array, [text], [types.TextDocumentIdentifier(cell)])
    change = types.NotebookDocumentChangeEvent(cells=types.NotebookDocumentCellChanges(structure=structure))
    which = types.VersionedNotebookDocumentIdentifier(2, notebook)
    documents.update_notebook_document(types.DidChangeNotebookDocumentParams(which, change))
    module = documents.measured(notebook)
    assert module is not None and module.source == "x = 1\n"
    assert documents.notebook_of(cell) is not None
