"""Loops over segments of a sequence that lie between two bounds each, and where the bounds of all of them are."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field

from .flow import number
from .scope import Scope


@dataclass(frozen=True, slots=True)
class Bounds:
    """Texts of the bounds of all segments: from `lows` up to `highs`, in the loop's order."""

    lows: str
    highs: str


@dataclass(frozen=True)
class SegmentLoop:
    """`given`: names that a turn of the loop binds to one element of a list of bounds, and the texts of all of them."""

    given: Mapping[str, str]
    index: str | None = None
    first: int = 0
    """The first value of `index`."""
    stop: str = ""
    body: list[ast.stmt] = field(default_factory=list[ast.stmt])
    """Without the statements that bind the names."""

    def bounds(self, scope: Scope, span: ast.expr) -> Bounds | None:
        """Of `low:high`, where both are elements of bounds."""
        if not isinstance(span, ast.Slice) or span.step is not None or span.lower is None or span.upper is None:
            return None
        low, high = (_elements(scope, self, end) for end in (span.lower, span.upper))
        return Bounds(low, high) if low is not None and high is not None else None

    @property
    def names(self) -> set[str]:
        return set(self.given) | ({self.index} if self.index is not None else set())


def segment_loop(scope: Scope, loop: ast.For) -> SegmentLoop | None:
    """`for i in range(len(c) - 1)`, `for low, high in zip(c[:-1], c[1:])`, either of them counted by `enumerate`."""
    match loop:
        case ast.For(
            orelse=[], target=ast.Name(id=index), iter=ast.Call(func=ast.Name(id="range"), keywords=[]) as call
        ):
            found = _counted(scope, index, call)
        case ast.For(orelse=[], target=target, iter=ast.Call(func=ast.Name(id="zip"), args=args, keywords=[])):
            found = _together(scope, target, args)
        case ast.For(
            orelse=[],
            target=ast.Tuple(elts=[ast.Name(id=index), target]),
            iter=ast.Call(
                func=ast.Name(id="enumerate"), args=[ast.Call(func=ast.Name(id="zip"), args=args, keywords=[])]
            ),
        ):
            found = _together(scope, target, args, index)
        case _:
            return None
    if found is None or {"range", "zip", "enumerate", "len", "int"} & scope.names.bound:
        return None
    return _with_names(scope, found, loop.body)


def _counted(scope: Scope, index: str, call: ast.Call) -> SegmentLoop | None:
    first, stop = (ast.Constant(0), *call.args)[-2:]
    start = number(first)
    if len(call.args) > 2 or start not in (0, 1) or any(isinstance(item, ast.NamedExpr) for item in ast.walk(stop)):
        return None
    return SegmentLoop({}, index, int(start), scope.text(stop))


def _together(scope: Scope, target: ast.expr, args: list[ast.expr], index: str | None = None) -> SegmentLoop | None:
    names = [item.id for item in target.elts if isinstance(item, ast.Name)] if isinstance(target, ast.Tuple) else []
    plain = all(_is_list(item) for item in args)
    if len(names) != len(args) or len(set(names)) != len(args) or not plain or index in names:
        return None
    return SegmentLoop(dict(zip(names, map(scope.text, args), strict=True)), index)


def _is_list(node: ast.expr) -> bool:
    """`c`, `c[:-1]`, `self.c[1:]`: nothing that is used up by a loop."""
    if isinstance(node, ast.Subscript):
        return isinstance(node.slice, ast.Slice) and _is_list(node.value)
    return isinstance(node, (ast.Name, ast.Attribute))


def _with_names(scope: Scope, found: SegmentLoop, body: list[ast.stmt]) -> SegmentLoop | None:
    """With what `low, high = c[i], c[i + 1]` at the top of the body says."""
    given = dict(found.given)
    for place, statement in enumerate(body):
        match statement:
            case ast.Assign(targets=[ast.Name() as name], value=value):
                pairs = [(name, value)]
            case ast.Assign(targets=[ast.Tuple(elts=names)], value=ast.Tuple(elts=values)) if len(names) == len(values):
                pairs = list(zip(names, values, strict=True))
            case _:
                return SegmentLoop(given, found.index, found.first, found.stop, body[place:])
        known = SegmentLoop(given, found.index, found.first, found.stop)
        texts = {name.id: _elements(scope, known, value) for name, value in pairs if isinstance(name, ast.Name)}
        if len(texts) != len(pairs) or None in texts.values() or texts.keys() & known.names:
            return None
        given |= {name: text for name, text in texts.items() if text is not None}
    return None


def _elements(scope: Scope, found: SegmentLoop, node: ast.expr) -> str | None:
    """The text of all values that `node` has over the loop: `c[i + 1]`, a name that stands for one, `int()` of it."""
    match node:
        case ast.Call(func=ast.Name(id="int"), args=[inner], keywords=[]):
            return _elements(scope, found, inner)
        case ast.Call(func=ast.Attribute(value=inner, attr="item"), args=[], keywords=[]):
            return _elements(scope, found, inner)
        case ast.Name(id=name):
            return found.given.get(name)
        case ast.Subscript(value=ast.Name() | ast.Attribute() as bounds, slice=index) if found.stop:
            offset = _offset(index, found.index)
            return None if offset is None else _sliced(scope, found, bounds, offset)
        case _:
            return None


def _offset(node: ast.expr, index: str | None) -> int | None:
    match node:
        case ast.Name(id=name) if name == index:
            return 0
        case ast.BinOp(left=ast.Name(id=name), op=ast.Add() | ast.Sub() as sign, right=ast.Constant(value=int() as by)):
            return (by if isinstance(sign, ast.Add) else -by) if name == index else None
        case _:
            return None


def _sliced(scope: Scope, found: SegmentLoop, bounds: ast.expr, offset: int) -> str | None:
    """`c[1:]` of `c[i]` for i from 1 to len(c)."""
    name, first = scope.text(bounds), found.first + offset
    if first < 0:
        return None
    for count in (f"len({name})", f"{name}.shape[0]", f"{name}.size(0)", f"{name}.numel()"):
        if found.stop == count and offset <= 0:
            return f"{name}[{first or ''}:{offset or ''}]"
        if found.stop == f"{count} - 1" and offset <= 1:
            return f"{name}[{first or ''}:{offset - 1 or ''}]"
    return f"{name}[{first or ''}:{found.stop if not offset else _plus(found.stop, offset)}]"


def _plus(text: str, by: int) -> str:
    whole = text if text.isidentifier() or text.isdecimal() else f"({text})"
    return f"{whole} {'+' if by > 0 else '-'} {abs(by)}"
