"""How a loop index picks a slice: `x[i]`, `x[:, i]`, `x[..., i, :]`, `x[:, h*d:(h+1)*d]`, as a mapped dimension."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer
from .numbers_known import is_number, is_shape
from .scope import Scope

Poly = dict[tuple[str, ...], int]
"""Monomial (sorted atoms) -> coefficient."""


def poly(node: ast.expr, inline: dict[str, ast.expr]) -> Poly:
    """Integer arithmetic as a polynomial; what is not arithmetic becomes an atom by its text."""
    match node:
        case ast.Constant(value=int() as value):
            return {(): int(value)} if value else {}
        case ast.Name(id=name) if name in inline:
            return poly(inline[name], inline)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return {key: -value for key, value in poly(operand, inline).items()}
        case ast.BinOp(left=left, op=ast.Add() | ast.Sub() as op, right=right):
            total = dict(poly(left, inline))
            for key, value in poly(right, inline).items():
                total[key] = total.get(key, 0) + (value if isinstance(op, ast.Add) else -value)
            return {key: value for key, value in total.items() if value}
        case ast.BinOp(left=left, op=ast.Mult(), right=right):
            return _times(poly(left, inline), poly(right, inline))
        case _:
            return {(ast.unparse(node),): 1}


def _times(one: Poly, two: Poly) -> Poly:
    total: Poly = {}
    for a, x in one.items():
        for b, y in two.items():
            key = tuple(sorted([*a, *b]))
            total[key] = total.get(key, 0) + x * y
    return {key: value for key, value in total.items() if value}


def linear(value: Poly, index: str) -> tuple[Poly, Poly] | None:
    """(slope, offset) of a polynomial linear in `index`."""
    slope: Poly = {}
    offset: Poly = {}
    for key, factor in value.items():
        count = key.count(index)
        if count == 0:
            offset[key] = factor
        elif count == 1:
            slope[tuple(atom for atom in key if atom != index)] = factor
        else:
            return None
    return slope, offset


def poly_text(value: Poly) -> str:
    parts: list[str] = []
    for key, factor in sorted(value.items(), key=lambda item: (len(item[0]) == 0, item[0])):
        atoms = [atom if atom.replace(".", "").isidentifier() else f"({atom})" for atom in key]
        size = abs(factor)
        text = " * ".join([*([str(size)] if size != 1 or not atoms else []), *atoms])
        parts.append(("- " if factor < 0 else "+ ") + text)
    text = " ".join(parts)
    return text.removeprefix("+ ") if not text.startswith("- ") else "-" + text[2:]


@dataclass(frozen=True)
class Range:
    """`range(start, stop, step)` as texts; `stop_node` for proofs."""

    start: str
    stop: str
    step: str
    stop_node: ast.expr
    uses_zero: bool

    def span(self, shift: int = 0) -> str:
        """The slice that the range walks over, moved by `shift`."""
        begin = "" if self.uses_zero else self.start
        end = self.stop
        if shift:
            begin = str(shift) if self.uses_zero else f"{self.start} + {shift}"
            end = f"{self.stop} + {shift}" if self.stop.replace(".", "").isalnum() else f"({self.stop}) + {shift}"
        return f"{begin}:{end}" + (f":{self.step}" if self.step else "")


def parse_range(scope: Scope, node: ast.expr) -> Range | None:
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range"):
        return None
    if node.keywords or not 1 <= len(node.args) <= 3 or any(isinstance(arg, ast.Starred) for arg in node.args):
        return None
    start = node.args[0] if len(node.args) > 1 else None
    stop = node.args[1] if len(node.args) > 1 else node.args[0]
    step = integer(node.args[2]) if len(node.args) > 2 else 1
    if step is None or step < 1 or (start is not None and (integer(start) is None or (integer(start) or 0) < 0)):
        return None
    first = integer(start) if start is not None else 0
    return Range(str(first), scope.text(stop), "" if step == 1 else str(step), stop, first == 0)


@dataclass(frozen=True)
class Pick:
    """One subscript that the index selects: the mapped tensor `base`, its dim, and what remains inside the body."""

    node: ast.Subscript
    base: str
    dim: int
    rest: str
    """What follows the parameter inside the body, e.g. `[:, 0]`."""


def pick(scope: Scope, node: ast.Subscript, index: str, inline: dict[str, ast.expr], over: Range) -> Pick | None:
    """None where the subscript is not one slice per iteration."""
    items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    hits = [place for place, item in enumerate(items) if _mentions(item, index, inline)]
    if len(hits) != 1 or not all(_plain(scope, item) for place, item in enumerate(items) if place != hits[0]):
        return None
    place = hits[0]
    ellipsis = [at for at, item in enumerate(items) if isinstance(item, ast.Constant) and item.value is ...]
    consuming = [not (isinstance(item, ast.Constant) and item.value in (None, ...)) for item in items]
    dim = sum(consuming[:place]) if not ellipsis or ellipsis[0] > place else -sum(consuming[place:])
    element = items[place]
    if isinstance(element, ast.Slice):
        base = _chunked(scope, node.value, element, index, inline, over, dim)
        others = [":" if at == place else scope.text(item) for at, item in enumerate(items)]  # type: ignore[arg-type]
    else:
        base = _indexed(scope, node.value, element, index, inline, over, dim)
        others = [scope.text(item) for at, item in enumerate(items) if at != place]
    if base is None:
        return None
    trivial = all(item in (":", "...") for item in others)
    return Pick(node, base, dim, "" if trivial else f"[{', '.join(others)}]")


def _mentions(node: ast.expr, index: str, inline: dict[str, ast.expr]) -> bool:
    names = {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
    return index in names or bool(names & set(inline))


def _plain(scope: Scope, node: ast.expr) -> bool:
    """A slice, None, ..., or a number: never a tensor index."""
    if isinstance(node, ast.Slice):
        return True
    if isinstance(node, ast.Constant):
        return node.value is None or node.value is ... or isinstance(node.value, int)
    return is_number(scope, node)


def _indexed(
    scope: Scope, base: ast.expr, element: ast.expr, index: str, inline: dict[str, ast.expr], over: Range, dim: int
) -> str | None:
    line = linear(poly(element, inline), index)
    if line is None or line[0] != {(): 1} or set(line[1]) - {()}:
        return None
    shift = line[1].get((), 0)
    if shift < 0:
        return None
    text = scope.text(base)
    if shift == 0 and over.uses_zero and not over.step and same_size(scope, base, dim, over.stop_node):
        return text
    return _sliced(text, over.span(shift), dim)


def _chunked(
    scope: Scope, base: ast.expr, element: ast.Slice, index: str, inline: dict[str, ast.expr], over: Range, dim: int
) -> str | None:
    """`x[..., i*d : (i+1)*d]` as `x.unflatten(dim, (n, d))`."""
    if element.lower is None or element.upper is None or element.step is not None:
        return None
    if not over.uses_zero or over.step:
        return None
    low, high = linear(poly(element.lower, inline), index), linear(poly(element.upper, inline), index)
    if low is None or high is None or low[0] != high[0] or not low[0]:
        return None
    width = dict(high[1])
    for key, value in low[1].items():
        width[key] = width.get(key, 0) - value
    width = {key: value for key, value in width.items() if value}
    if width != low[0]:
        return None
    size = poly_text(width)
    count = over.stop if over.stop.replace(".", "").replace("_", "").isalnum() else f"({over.stop})"
    total = f"{count} * {size}" if len(width) == 1 else f"{count} * ({size})"
    text = scope.text(base)
    if low[1]:
        begin = poly_text(low[1])
        text = _sliced(text, f"{begin} : {begin} + {total}", dim)
    else:
        text = _sliced(text, f": {total}", dim)
    return f"{text}.unflatten({dim}, ({over.stop}, {size}))"


def _sliced(text: str, span: str, dim: int) -> str:
    if dim >= 0:
        return f"{text}[{', '.join([*([':'] * dim), span])}]"
    return f"{text}[{', '.join(['...', span, *([':'] * (-dim - 1))])}]"


def same_size(scope: Scope, base: ast.expr, dim: int, stop: ast.expr) -> bool:
    """Whether `stop` is, by its spelling or its one definition, the size of `base` along `dim`."""
    match stop:
        case ast.Subscript(value=ast.Attribute(value=owner, attr="shape"), slice=place):
            return ast.dump(owner) == ast.dump(base) and integer(place) == dim
        case ast.Call(func=ast.Attribute(value=owner, attr="size"), args=[place]):
            return ast.dump(owner) == ast.dump(base) and integer(place) == dim
        case ast.Call(func=ast.Name(id="len"), args=[owner]):
            return ast.dump(owner) == ast.dump(base) and dim == 0
        case ast.Name(id=name):
            made = [item for item in ast.walk(scope.function) if isinstance(item, ast.Assign) and _binds(item, name)]
            return len(made) == 1 and _unpacked(scope, made[0], name, base, dim)
        case _:
            return False


def _binds(node: ast.Assign, name: str) -> bool:
    return any(isinstance(item, ast.Name) and item.id == name for target in node.targets for item in ast.walk(target))


def _unpacked(scope: Scope, made: ast.Assign, name: str, base: ast.expr, dim: int) -> bool:
    target = made.targets[0]
    rebound = isinstance(base, ast.Name) and any(
        isinstance(item, ast.Name) and item.id == base.id and isinstance(item.ctx, ast.Store)
        for item in ast.walk(scope.function)
    )
    if rebound and not _before(scope, made, base):
        return False
    if isinstance(target, ast.Name):
        return not isinstance(made.value, ast.Name) and same_size(scope, base, dim, made.value)
    if isinstance(target, ast.Tuple) and is_shape(made.value) and not isinstance(made.value, ast.Subscript):
        owner = made.value.func.value if isinstance(made.value, ast.Call) else made.value.value  # type: ignore[union-attr]
        names = [item.id if isinstance(item, ast.Name) else "" for item in target.elts]
        place = names.index(name) if name in names else -1
        return ast.dump(owner) == ast.dump(base) and (dim == place or dim == place - len(names))
    return False


def _before(scope: Scope, made: ast.Assign, base: ast.expr) -> bool:
    """Whether every binding of `base` comes before `made`."""
    assert isinstance(base, ast.Name)
    return all(
        item.lineno < made.lineno
        for item in ast.walk(scope.function)
        if isinstance(item, ast.Name) and item.id == base.id and isinstance(item.ctx, ast.Store)
    )
