"""A model's search/replace blocks, applied to the target's file and held to the definitions that the target reaches."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from outpace_audit.errors import OutpaceError, SourceError
from outpace_audit.records import Patch, Span
from outpace_optimizers.model.confined import beyond
from outpace_optimizers.model.elisions import is_elided, split
from outpace_optimizers.model.legible import hidden, monstrous
from outpace_optimizers.model.matching import Placed, PlaceError, Ranges, placed
from outpace_optimizers.model.native import built_statements
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


def edited(source: Source, edits: Sequence[Edit], symbol: str = "") -> str:
    """The text with each edit applied in turn. Raises ReplyError where a search block has not one place: one in the
    file, or one in the definitions that `symbol` reaches, of which alone a model knows."""
    text = source.text
    for number, edit in enumerate(edits, 1):
        try:
            refuse_stand_ins(edit.replace, edit.search, "the replacement")
            _refuse_other_file(edit.file, source.path)
            text = _applied(Source(source.path, text, source.tree), edit, symbol)
        except ReplyError as error:
            raise ReplyError(f"edit {number}: {error}") from error
        if len(text) > FILE_CHARACTERS:
            raise ReplyError(f"edit {number}: the file grows beyond {FILE_CHARACTERS} characters")
    return text


def refuse_stand_ins(text: str, known: str, what: str) -> None:
    """Marks for what was not shown, and for what the model did not write out, where `known` has no such line."""
    if REMOVED in text:
        raise ReplyError(f"{REMOVED} stands for something that was not shown; leave that line alone")
    lines = known.split("\n")
    if any(map(is_elided, lines)):
        return
    if left := next((line for line in text.split("\n") if is_elided(line)), None):
        raise ReplyError(f"{what} leaves code out, {left.strip()[:SHOWN]!r}: write it out")


def _refuse_other_file(name: str, path: str) -> None:
    """A path from outside or beside the target's file; folders above it may be named."""
    named, mine = PurePosixPath(name.removeprefix("a/").removeprefix("b/")), PurePosixPath(Path(path).as_posix())
    if name and (named.parts[-1:] != mine.parts[-1:] or mine.parts[-len(named.parts) :] != named.parts):
        raise ReplyError(f"only {mine.name} may change, not {name}")


def _applied(source: Source, edit: Edit, symbol: str) -> str:
    parts = [split(edit.search), split(edit.replace)]
    try:
        return _placed(source, edit, symbol, 0)[0]
    except ReplyError:
        if len(parts[0]) == 1:
            raise
    if len(parts[0]) != len(parts[1]):
        raise ReplyError("the search block and its replacement leave out different parts: write them out")
    text, at = source.text, 0
    for search, replace in zip(*parts, strict=True):
        if search.strip() or replace.strip():
            text, at = _placed(Source(source.path, text, source.tree), Edit(search, replace), symbol, at)
    return text


def _placed(source: Source, edit: Edit, symbol: str, after: int) -> tuple[str, int]:
    """The new text, and where the replacement ends in it. `after`: it may not begin before that."""
    search, replace = (_in_newlines(part, source.newline) for part in (edit.search, edit.replace))
    if not search.strip():
        raise ReplyError("the search block is empty")
    within = _changeable(source, symbol)
    try:
        found = _found(source, search, replace, within)
    except PlaceError as error:
        raise ReplyError(
            f"the search block {error}, and must be there exactly once, character by character: "
            f"{search.strip()[:SHOWN]!r}"
        ) from error
    if found.start < after:
        raise ReplyError("the parts of the search block are not in the order of the file")
    text = source.text[: found.start] + found.replace + source.text[found.end :]
    return text, found.start + len(found.replace)


def _found(source: Source, search: str, replace: str, within: Ranges) -> Placed:
    """As it is written; or, where it is one line with `\\n` in it that is nowhere, with one escape less in both."""
    try:
        return placed(source.text, search, replace, within, source.newline, source.indent)
    except PlaceError:
        if "\n" in search.strip() or "\\n" not in search:
            raise
        wanted, instead = (_in_newlines(_unescaped(part), source.newline) for part in (search, replace))
        return placed(source.text, wanted, instead, within, source.newline, source.indent)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([nt\"'\\])", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def _changeable(source: Source, symbol: str) -> list[tuple[int, int]]:
    """Where the definitions that may change stand; nowhere while the text is no Python, between two edits."""
    if not symbol:
        return []
    try:
        now = parse(source.path, source.text)
        found = [one.node for one in editable(now, symbol) if one.owner is None]
        nodes = [*found, *built_statements(now, symbol).values()]
    except OutpaceError:
        return []
    starts = [0]
    for line in now.lines:
        starts.append(starts[-1] + len(line))
    return [(starts[node.lineno - 1], starts[node.end_lineno or node.lineno]) for node in nodes]


def patch_of(source: Source, symbol: str, new_text: str) -> Patch:
    """The edit as a patch that declares what it changed. Raises ReplyError where that is more than it may."""
    try:
        new = parse(source.path, new_text)
    except SourceError as error:
        told = str(error).replace(source.path, Path(source.path).name)
        raise ReplyError(f"the edited file is not Python: {told}") from error
    _refuse_unreadable(source, new)
    if symbol not in new.definitions:
        raise ReplyError(f"{symbol} is gone: what is called has to keep its name")
    _refuse_stubs(source, new)
    built = _built_anew(source, new, symbol)
    allowed = {definition.qualname for definition in editable(source, symbol)} | {*built_statements(source, symbol)}
    changed = [*_changed(source, new), *built]
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


def _refuse_unreadable(old: Source, new: Source) -> None:
    if character := hidden(old.text, new.text, old.newline):
        raise ReplyError(
            f"the edits add a character that is not seen, {character}: write it as an escape, or leave it out"
        )
    if wrong := monstrous(new.tree):
        raise ReplyError(f"the edited file cannot be read by the tools that have to: {wrong}")
    if more := beyond(old.tree, new.tree):
        raise ReplyError(f"an idea reads no files and no environment, and runs no text as code, but this one {more}")


def _refuse_stubs(old: Source, new: Source) -> None:
    """Functions that were written out, and whose body is left away."""
    for name, after in new.definitions.items():
        before = old.definitions.get(name)
        if before is not None and _is_stub(after.node) and not _is_stub(before.node):
            raise ReplyError(f"{name} has no body any more: write it out, or leave it alone")


def _is_stub(node: ast.AST) -> bool:
    if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return False
    return all(
        isinstance(one, ast.Pass) or (isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant))
        for one in node.body
    )


def _built_anew(old: Source, new: Source, symbol: str) -> list[str]:
    """Texts that are compiled, and what builds them, where they differ or are gone."""
    before, after = built_statements(old, symbol), built_statements(new, symbol)
    return [name for name, node in before.items() if name not in after or ast.dump(after[name]) != ast.dump(node)]


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
