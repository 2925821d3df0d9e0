"""A text whose top level stands in another order: cells of a notebook that were moved.

What was measured holds as long as the target reaches the same statements, and those whose order matters are in it: all
but functions and plain classes under a name that nothing else binds.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outpace_optimizers.source import lines_of
from outpace_server.lsp.freshness import Part, live_parts
from outpace_server.lsp.regions import LineEdit, Region, line_edits, parsed


@dataclass(frozen=True, slots=True)
class Move:
    """The lines from `first` up to `end` of one text begin at `there` in the other."""

    first: int
    end: int
    there: int

    def line(self, line: int) -> int:
        return line + self.there - self.first


@dataclass(frozen=True, slots=True)
class Rearranged:
    """Where each statement that the target reaches stands now."""

    moves: tuple[Move, ...]

    def region(self, region: Region) -> Region | None:
        move = next((one for one in self.moves if one.first <= region.first and region.last < one.end), None)
        if move is None:
            return None
        first, last, header = (move.line(line) for line in (region.first, region.last, region.header))
        return Region(first, last, header, region.header_start, region.header_end)

    def carried_over(self, base: str, changed: str, text: str) -> str | None:
        """`changed`, an edit of `base`, as the same edit of `text`; None where it is not one of these statements."""
        placed = [self._placed(edit) for edit in line_edits(base, changed)]
        edits = [edit for edit in placed if edit is not None]
        if len(edits) < len(placed):
            return None
        lines = lines_of(text)
        for edit in sorted(edits, key=lambda edit: edit.start, reverse=True):
            lines[edit.start : edit.end] = lines_of(edit.text)
        return "".join(lines)

    def _placed(self, edit: LineEdit) -> LineEdit | None:
        """What is put in between two statements comes after the upper one."""
        for move in self.moves:
            inside = move.first <= edit.start < edit.end <= move.end
            if inside or (edit.start == edit.end and move.first < edit.start <= move.end):
                return LineEdit(move.line(edit.start), move.line(edit.end), edit.text)
        return None


def rearranged(base: str, text: str, symbol: str) -> Rearranged | None:
    """None where what the target reaches is not the same, or not in an order that means the same."""
    before, now = _statements(base, symbol), _statements(text, symbol)
    if before is None or now is None or Counter(one.source for one in before) != Counter(one.source for one in now):
        return None
    if not (_alone(before) and _fixed(before) == _fixed(now)):
        return None
    places: defaultdict[str, list[int]] = defaultdict(list)
    for one in reversed(now):
        places[one.source].append(one.part.first)
    return Rearranged(tuple(Move(one.part.first, one.part.end, places[one.source].pop()) for one in before))


@dataclass(frozen=True, slots=True)
class _Statement:
    part: Part
    node: ast.stmt
    source: str


def _statements(text: str, symbol: str) -> list[_Statement] | None:
    parts, tree, lines = live_parts(text, symbol), parsed(text), lines_of(text)
    if parts is None or tree is None:
        return None
    sources = ("".join(lines[part.first : part.end]) for part in parts)
    return [_Statement(part, tree.body[part.number], source) for part, source in zip(parts, sources, strict=True)]


def _fixed(statements: Sequence[_Statement]) -> list[str]:
    """Those whose order matters, in their order."""
    return [one.source for one in statements if not _movable(one.node)]


def _movable(node: ast.stmt) -> bool:
    """Whether it computes nothing where it stands."""
    match node:
        case ast.FunctionDef(decorator_list=[]) | ast.AsyncFunctionDef(decorator_list=[]):
            defaults = (*node.args.defaults, *(one for one in node.args.kw_defaults if one is not None))
            return all(isinstance(one, ast.Constant) for one in defaults)
        case ast.ClassDef(decorator_list=[], keywords=[]):
            return all(isinstance(base, (ast.Name, ast.Attribute)) for base in node.bases) and all(
                isinstance(one, ast.Pass) or _is_text(one) or _movable(one) for one in node.body
            )
        case _:
            return False


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _alone(statements: Sequence[_Statement]) -> bool:
    """Whether what may move is bound once, and so what it is derived from: of two, the later one holds."""
    times = Counter(name for one in statements for name in _bound(one.node))
    named = [(one.part.name, one.node) for one in statements if one.part.name is not None and _movable(one.node)]
    return all(times[name] == 1 and all(times[base] < 2 for base in _bases(node)) for name, node in named)


def _bases(node: ast.stmt) -> Iterator[str]:
    for base in node.bases if isinstance(node, ast.ClassDef) else []:
        yield from (child.id for child in ast.walk(base) if isinstance(child, ast.Name))


def _bound(node: ast.stmt) -> Iterator[str]:
    """Names of the top level that a statement binds or takes away; rather too many of them."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        yield node.name
        return
    for child in ast.walk(node):
        if isinstance(child, ast.Name) and not isinstance(child.ctx, ast.Load):
            yield child.id
        elif isinstance(child, ast.alias):
            yield (child.asname or child.name).partition(".")[0]
        elif isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield child.name
