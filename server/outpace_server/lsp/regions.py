"""Where a change lies in a text, and the smallest edits that make it. Lines and columns count from 0, in characters."""

from __future__ import annotations

import ast
import difflib
import re
from dataclasses import dataclass
from functools import lru_cache

from outpace_audit.constants import Changeable
from outpace_audit.records import Patch
from outpace_optimizers.source import lines_of, tree_of

_ENDING = re.compile(r"\r\n?|\n")
Definition = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


@dataclass(frozen=True, slots=True)
class Region:
    """A definition from `first` to `last`, decorators too; `header` is its line of `def` or `class`."""

    first: int
    last: int
    header: int
    header_start: int
    header_end: int


@dataclass(frozen=True, slots=True)
class LineEdit:
    """Replaces the lines from `start` up to `end`, exclusive."""

    start: int
    end: int
    text: str


def region_of(text: str, changed: str, patch: Patch) -> Region:
    """The definition that the patch says it changes, the first line where it cannot be found; of a patch that names
    none, the first lines that `changed` has otherwise.
    """
    if patch.spans or text == changed:
        return region_named(text, patch.spans[0].qualname if patch.spans else "")
    edit, lines = line_edits(text, changed)[0], lines_in(text)
    line = min(edit.start, len(lines) - 1)
    shown = lines[line].rstrip("\r\n") if lines else ""
    return Region(line, max(line, edit.end - 1), line, len(shown) - len(shown.lstrip()), len(shown))


@lru_cache(maxsize=4)
def lines_in(text: str) -> tuple[str, ...]:
    """Of the few texts that all findings of a file start from."""
    return tuple(lines_of(text))


@lru_cache(maxsize=2)
def parsed(text: str) -> ast.Module | None:
    """None for what does not parse. A tree takes a hundred times its text: few are kept."""
    try:
        return tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


@lru_cache(maxsize=1024)
def region_named(text: str, qualname: str) -> Region:
    """Editors ask at every stop of the cursor, and parsing a long file takes longer than all the rest."""
    lines = lines_in(text)
    node = _named(text, qualname) if qualname else None
    if node is None or node.end_lineno is None:
        return Region(0, 0, 0, 0, len(lines[0].rstrip("\r\n")) if lines else 0)
    header = lines[node.lineno - 1].rstrip("\r\n")
    decorators = node.decorator_list if isinstance(node, Definition) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    start = len(header) - len(header.lstrip())
    return Region(first - 1, node.end_lineno - 1, node.lineno - 1, start, len(header))


def _named(text: str, qualname: str) -> ast.stmt | None:
    """The definition, or the constant of the top level."""
    tree, definition = parsed(text), _definition(text, qualname)
    if tree is None or definition is not None:
        return definition
    changeable = Changeable(tree)
    return next((node for node in tree.body if changeable.name(node) == qualname), None)


def _definition(text: str, qualname: str) -> Definition | None:
    first, *inner = qualname.split(".")
    found = _definitions(text).get(first)
    for name in inner:
        body = ast.walk(ast.Module(found.body, [])) if found else iter(())
        found = next((node for node in body if isinstance(node, Definition) and node.name == name), None)
    return found


@lru_cache(maxsize=2)
def _definitions(text: str) -> dict[str, Definition]:
    """By name: the outermost of those that are called so, the first of them."""
    found: dict[str, Definition] = {}
    for node in ast.walk(parsed(text) or ast.Module([], [])):
        if isinstance(node, Definition):
            found.setdefault(node.name, node)
    return found


@lru_cache(maxsize=1024)
def line_edits(before: str, after: str) -> tuple[LineEdit, ...]:
    """Edits of whole lines that turn one text into the other, in their order, none overlapping."""
    start, one, other = differing(before, after)
    old, new = lines_of(one), lines_of(other)
    blocks = difflib.SequenceMatcher(None, old, new, autojunk=False)
    return tuple(
        LineEdit(start + i1, start + i2, "".join(new[j1:j2]))
        for tag, i1, i2, j1, j2 in blocks.get_opcodes()
        if tag != "equal"
    )


def differing(before: str, after: str) -> tuple[int, str, str]:
    """The lines in which two texts differ: how many lines both begin with, and what stands between these and the lines
    that both end with. By comparing memory: lines of a long file, one by one, take an editor's patience."""
    start = _whole_lines(before, after, _common_start(before, after))
    limit = min(len(before), len(after)) - start
    end = _whole_last_lines(before, after, _common_end(before, after, limit))
    return line_count(before[:start]), before[start : len(before) - end], after[start : len(after) - end]


def line_count(text: str) -> int:
    """Of whole lines."""
    return text.count("\n") + (text.count("\r") - text.count("\r\n") if "\r" in text else 0)


def _common_start(a: str, b: str) -> int:
    low, high = 0, min(len(a), len(b))
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if a.startswith(b[low:middle], low) else (low, middle - 1)
    return low


def _common_end(a: str, b: str, limit: int) -> int:
    low, high = 0, limit
    while low < high:
        middle = (low + high + 1) // 2
        same = a.endswith(b[len(b) - middle : len(b) - low], 0, len(a) - low)
        low, high = (middle, high) if same else (low, middle - 1)
    return low


def _begins_line(text: str, place: int) -> bool:
    before, after = text[place - 1 : place], text[place : place + 1]
    return before in ("", "\n") or (before == "\r" and after != "\n")


def _whole_lines(a: str, b: str, start: int) -> int:
    while not (_begins_line(a, start) and _begins_line(b, start)):
        start = max(a.rfind("\n", 0, start - 1), a.rfind("\r", 0, start - 1)) + 1
    return start


def _whole_last_lines(a: str, b: str, end: int) -> int:
    while end and not (_begins_line(a, len(a) - end) and _begins_line(b, len(b) - end)):
        ending = _ENDING.search(a, len(a) - end)
        end = len(a) - ending.end() if ending else 0
    return end
