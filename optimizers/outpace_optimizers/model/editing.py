"""A model's search/replace blocks, applied to the target's file and held to the definitions that the target reaches."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from pathlib import Path

from outpace_audit.errors import SourceError
from outpace_audit.records import Patch, Span
from outpace_optimizers.model.confined import beyond
from outpace_optimizers.model.legible import hidden, monstrous
from outpace_optimizers.model.reply import Edit, ReplyError
from outpace_optimizers.model.scrubbing import REMOVED
from outpace_optimizers.source import UNTOUCHED, Definition, Source, base_hash, differs_outside, parse, reached

FILE_CHARACTERS = 1_000_000
"""Of the file after the edits."""
SHOWN = 60
"""Characters of a search block in an error."""


def editable(source: Source, symbol: str) -> list[Definition]:
    """What a model may change: the definitions that the target reaches in its file, input makers aside."""
    return [one for one in reached(source, symbol) if not one.qualname.rpartition(".")[2].startswith(UNTOUCHED)]


def edited(source: Source, edits: Sequence[Edit]) -> str:
    """The text with each edit applied in turn. Raises ReplyError where a search block is not there exactly once."""
    text = source.text
    for number, edit in enumerate(edits, 1):
        search, replace = (_in_newlines(part, source.newline) for part in (edit.search, edit.replace))
        if REMOVED in replace:
            raise ReplyError(f"edit {number}: {REMOVED} stands for something that was not shown; leave that line alone")
        if not search.strip():
            raise ReplyError(f"edit {number}: the search block is empty")
        count = _times(text, search)
        if count != 1:
            found = "is not in the file" if count == 0 else f"is in the file {count} times"
            raise ReplyError(
                f"edit {number}: the search block {found}, and must be there exactly once, character by character: "
                f"{search.strip()[:SHOWN]!r}"
            )
        text = text.replace(search, replace)
        if len(text) > FILE_CHARACTERS:
            raise ReplyError(f"edit {number}: the file grows beyond {FILE_CHARACTERS} characters")
    return text


def patch_of(source: Source, symbol: str, new_text: str) -> Patch:
    """The edit as a patch that declares what it changed. Raises ReplyError where that is more than it may."""
    try:
        new = parse(source.path, new_text)
    except SourceError as error:
        told = str(error).replace(source.path, Path(source.path).name)
        raise ReplyError(f"the edited file is not Python: {told}") from error
    _refuse_unreadable(source, new)
    allowed = {definition.qualname for definition in editable(source, symbol)}
    changed = _changed(source, new)
    spans = tuple(name for name in changed if name in allowed or _is_new(name, source))
    if differs_outside(source.text, new_text, spans):
        classes = tuple(name for name in _classes_of(changed) if name in allowed)
        spans = (*(name for name in spans if name.rpartition(".")[0] not in classes and name not in classes), *classes)
    if differs_outside(source.text, new_text, spans):
        outside = [name for name in changed if name not in spans and name.rpartition(".")[0] not in spans]
        raise ReplyError(
            f"the edits reach outside what may change ({', '.join(sorted(allowed))}, and imports): "
            f"{', '.join(outside) or 'statements at the top of the file'}"
        )
    return Patch(source.path, base_hash(source.text), new_text, tuple(Span(name) for name in spans))


def _times(text: str, part: str) -> int:
    """How often it is there; places that overlap count as two."""
    first = text.find(part)
    second = text.find(part, first + 1) if first >= 0 else -1
    return (first >= 0) if second < 0 else max(2, text.count(part))


def _refuse_unreadable(old: Source, new: Source) -> None:
    if character := hidden(old.text, new.text, old.newline):
        raise ReplyError(
            f"the edits add a character that is not seen, {character}: write it as an escape, or leave it out"
        )
    if wrong := monstrous(new.tree):
        raise ReplyError(f"the edited file cannot be read by the tools that have to: {wrong}")
    if more := beyond(old.tree, new.tree):
        raise ReplyError(f"an idea reads no files and no environment, and runs no text as code, but this one {more}")


def _changed(old: Source, new: Source) -> list[str]:
    """Functions and methods that differ, are new or are gone; classes that are new or gone."""
    names = list(dict.fromkeys([*old.definitions, *new.definitions]))
    found: list[str] = []
    for name in names:
        before, after = old.definitions.get(name), new.definitions.get(name)
        if before is None or after is None:
            found.append(name)
        elif not (isinstance(before.node, ast.ClassDef) and isinstance(after.node, ast.ClassDef)):
            found += [name] if ast.dump(before.node) != ast.dump(after.node) else []
    return [name for name in found if "." not in name or name.rpartition(".")[0] not in found]


def _classes_of(changed: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(name.rpartition(".")[0] for name in changed if "." in name))


def _is_new(name: str, source: Source) -> bool:
    """A new input maker would be another question for the next run."""
    return "." not in name and name not in source.definitions and not name.startswith(UNTOUCHED)


def _in_newlines(text: str, newline: str) -> str:
    plain = text.replace("\r\n", "\n")
    return plain if newline == "\n" else plain.replace("\n", newline)
