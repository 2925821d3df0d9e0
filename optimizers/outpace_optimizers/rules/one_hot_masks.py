"""One-hot masks of chosen values, laid out by value: `F.one_hot(chosen, n).permute(2, 1, 0)`, row by row."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .attention_ops import integer, pick
from .flow import changed, names_in, number
from .names import dotted
from .scope import Scope

_LAYOUTS = {(2, 1, 0): ".t()", (2, 0, 1): ""}
"""Of the values' own, by how the dimensions of a mask of two are permuted."""
_CASTS = frozenset({".bool", ".contiguous", ".long", ".int", ".to"})


@dataclass(frozen=True)
class Hot:
    """The mask called `name`: of `values`, laid out as `text` has them, below `count`; `statements` made it."""

    name: str
    values: ast.expr
    text: str
    count: str
    statements: tuple[ast.stmt, ...]


@dataclass(frozen=True)
class Hit:
    """A loop over the values that a mask has anywhere: `name` is the loop's variable."""

    hot: Hot
    name: str
    statements: tuple[ast.stmt, ...]


@dataclass(frozen=True)
class _Made:
    values: ast.expr
    count: ast.expr | None
    layout: str | None
    """None where no dimension has moved."""
    statements: tuple[ast.stmt, ...]
    first: int


def hot_of(scope: Scope, loop: ast.For, node: ast.expr, variable: str) -> Hot | None:
    """The mask of which `mask[i]` is read, or `mask[..., i]` where values are last."""
    match node:
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Name(id=index)) if index == variable:
            made = _mask(scope, _before(scope, loop), name)
            return _hot(scope, name, made) if made is not None and made.layout is not None else None
        case ast.Subscript(value=ast.Name(id=name), slice=ast.Tuple(elts=[*others, ast.Name(id=index)])) if (
            index == variable and ast.unparse(node.slice).strip("()") in (f"..., {index}", f":, :, {index}")
        ):
            made = _mask(scope, _before(scope, loop), name)
            fits = made is not None and made.layout is None and bool(others)
            return _hot(scope, name, made) if made is not None and fits else None
        case _:
            return None


def _hot(scope: Scope, name: str, made: _Made) -> Hot:
    count = scope.text(made.count) if made.count is not None else ""
    return Hot(name, made.values, scope.text(made.values) + (made.layout or ""), count, made.statements)


def hit_of(scope: Scope, loop: ast.For) -> Hit | None:
    """`for i in (mask.sum(dim=(-1, -2)) > 0).nonzero()`, there or under a name."""
    if not isinstance(loop.target, ast.Name):
        return None
    before, node, statements = _before(scope, loop), loop.iter, tuple[ast.stmt, ...]()
    if isinstance(node, ast.Name):
        found = _bound(before, len(before), node.id)
        if found is None:
            return None
        index, node = found
        statements, before = (before[index],), before[:index]
    call = scope.names.call(node)
    if call is None or call[0] not in (".nonzero", "torch.nonzero") or len(call[1]) != 1:
        return None
    if any(not isinstance(value, ast.Constant) or value.value is not False for value in call[2].values()):
        return None
    name = _summed(scope, call[1][0])
    made = _mask(scope, before, name) if name is not None else None
    if name is None or made is None or made.layout is None or made.count is None:
        return None
    since = _before(scope, loop)[made.first + 1 :]
    if not _plain(made.count) or any(changed(item) & names_in(made.count) for item in since):
        return None
    return Hit(_hot(scope, name, made), loop.target.id, statements)


def _summed(scope: Scope, node: ast.expr) -> str | None:
    """mask, of `mask.sum(dim=(-1, -2)) > 0`, `torch.greater(mask.sum(...), 0)` and the sum alone."""
    call = scope.names.call(node)
    match node:
        case ast.Compare(left=left, ops=[ast.Gt()], comparators=[zero]) if number(zero) == 0:
            return _summed(scope, left)
        case _:
            pass
    if call is None:
        return None
    name, args, keys = call
    if name in ("torch.greater", "torch.gt", ".gt", ".greater") and len(args) == 2 and number(args[1]) == 0:
        return _summed(scope, args[0])
    dims = pick(args, keys, 1, "dim")
    if name not in (".sum", "torch.sum") or not isinstance(dims, (ast.Tuple, ast.List)) or len(keys) + len(args) != 2:
        return None
    over = {integer(item) for item in dims.elts}
    return args[0].id if over in ({-1, -2}, {1, 2}) and isinstance(args[0], ast.Name) else None


def _mask(scope: Scope, before: Sequence[ast.stmt], name: str) -> _Made | None:
    """How the mask was made, where its values are at the end what they were then."""
    made = _named(scope, before, name)
    if made is None or any(changed(item) & names_in(made.values) for item in before[made.first + 1 :]):
        return None
    return made


def _named(scope: Scope, before: Sequence[ast.stmt], name: str) -> _Made | None:
    found = _bound(before, len(before), name)
    if found is None:
        return None
    index, value = found
    made = _expression(scope, before[:index], value, index)
    if made is None:
        return None
    return _Made(made.values, made.count, made.layout, (*made.statements, before[index]), min(made.first, index))


def _expression(scope: Scope, before: Sequence[ast.stmt], node: ast.expr, at: int) -> _Made | None:
    if isinstance(node, ast.Name):
        return _named(scope, before, node.id)
    call = scope.names.call(node)
    if call is None or not call[1]:
        return None
    name, args, keys = call
    if name == "torch.nn.functional.one_hot":
        values, count = args[0], pick(args, keys, 1, "num_classes")
        cast = scope.names.call(values)
        plain = cast[1][0] if cast is not None and cast[0] in (".long", ".to") and cast[1] else values
        return _Made(values, count, None, (), at) if dotted(plain) is not None else None
    if name in _CASTS:
        return _expression(scope, before, args[0], at)
    if name not in (".permute", "torch.permute"):
        return None
    items = args[1].elts if len(args) == 2 and isinstance(args[1], (ast.Tuple, ast.List)) else args[1:]
    layout = _LAYOUTS.get(tuple(integer(item) if integer(item) is not None else -9 for item in items))  # type: ignore[misc]
    inner = _expression(scope, before, args[0], at)
    if inner is None or inner.layout is not None or layout is None:
        return None
    return _Made(inner.values, inner.count, layout, inner.statements, inner.first)


def _before(scope: Scope, loop: ast.For) -> list[ast.stmt]:
    """The statements of the loop's block before it, those under a `with` too."""
    place = scope.block_of(loop)
    return list(_opened(place[0][: place[1]])) if place is not None else []


def _opened(block: Sequence[ast.stmt]) -> Iterator[ast.stmt]:
    for statement in block:
        if isinstance(statement, ast.With):
            yield from _opened(statement.body)
        else:
            yield statement


def _bound(before: Sequence[ast.stmt], end: int, name: str) -> tuple[int, ast.expr] | None:
    for index in range(end - 1, -1, -1):
        if name in changed(before[index]):
            match before[index]:
                case ast.Assign(targets=[ast.Name(id=target)], value=value) if target == name:
                    return index, value
                case _:
                    return None
    return None


def _plain(node: ast.expr) -> bool:
    """A number, a name, an attribute or a length."""
    match node:
        case ast.Call(func=ast.Name(id="len"), args=[inner], keywords=[]):
            return dotted(inner) is not None
        case _:
            return number(node) is not None or dotted(node) is not None
