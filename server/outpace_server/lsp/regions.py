"""Where a change lies in a text, and the smallest edits that make it. Lines and columns count from 0, in characters."""

from __future__ import annotations

import ast
import difflib
from dataclasses import dataclass
from functools import lru_cache

from outpace_audit.constants import Changeable
from outpace_audit.records import Patch
from outpace_optimizers.source import lines_of, tree_of

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
    edit, lines = line_edits(text, changed)[0], lines_of(text)
    line = min(edit.start, len(lines) - 1)
    shown = lines[line].rstrip("\r\n") if lines else ""
    return Region(line, max(line, edit.end - 1), line, len(shown) - len(shown.lstrip()), len(shown))


@lru_cache(maxsize=256)
def region_named(text: str, qualname: str) -> Region:
    """Editors ask at every stop of the cursor, and parsing a long file takes longer than all the rest."""
    lines = lines_of(text)
    try:
        node = _named(tree_of(text), qualname) if qualname else None
    except (SyntaxError, ValueError):
        node = None
    if node is None or node.end_lineno is None:
        return Region(0, 0, 0, 0, len(lines[0].rstrip("\r\n")) if lines else 0)
    header = lines[node.lineno - 1].rstrip("\r\n")
    decorators = node.decorator_list if isinstance(node, Definition) else []
    first = min([node.lineno, *(decorator.lineno for decorator in decorators)])
    start = len(header) - len(header.lstrip())
    return Region(first - 1, node.end_lineno - 1, node.lineno - 1, start, len(header))


def _named(tree: ast.Module, qualname: str) -> ast.stmt | None:
    """The definition, or the constant of the top level."""
    changeable = Changeable(tree)
    constant = (node for node in tree.body if changeable.name(node) == qualname)
    return _definition(tree, qualname) or next(constant, None)


def _definition(tree: ast.Module, qualname: str) -> Definition | None:
    body, found = tree.body, None
    for name in qualname.split("."):
        found = next((n for n in ast.walk(ast.Module(body, [])) if isinstance(n, Definition) and n.name == name), None)
        if found is None:
            return None
        body = found.body
    return found


@lru_cache(maxsize=256)
def line_edits(before: str, after: str) -> tuple[LineEdit, ...]:
    """Edits of whole lines that turn one text into the other, in their order, none overlapping."""
    old, new = lines_of(before), lines_of(after)
    start, same = common_ends(old, new)
    blocks = difflib.SequenceMatcher(None, old[start : len(old) - same], new[start : len(new) - same], autojunk=False)
    return tuple(
        LineEdit(start + i1, start + i2, "".join(new[start + j1 : start + j2]))
        for tag, i1, i2, j1, j2 in blocks.get_opcodes()
        if tag != "equal"
    )


def common_ends(old: list[str], new: list[str]) -> tuple[int, int]:
    """How many lines both begin with, and how many of the rest both end with."""
    shorter = min(len(old), len(new))
    start = next((i for i in range(shorter) if old[i] != new[i]), shorter)
    return start, next((i for i in range(shorter - start) if old[-1 - i] != new[-1 - i]), shorter - start)
