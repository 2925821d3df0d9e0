"""How a loop index picks a slice: `x[i]`, `x[:, i]`, `x[..., i, :]`, `x[:, h*d:(h+1)*d]`, as a mapped
dimension.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer
from .batch_size import same_size
from .numbers_known import is_number
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
        if shift < 0:
            begin = str(int(self.start) + shift) if int(self.start) + shift else ""
            end = f"max({self.stop} - {-shift}, 0)"  # below zero it would count from the end
        elif shift:
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
    """One subscript that the index selects: slice number i of `base` along `dim`."""

    node: ast.Subscript
    base: str
    dim: int
    chunk: str = ""
    """`(n, d)` where each slice is a run of d entries, not one: `base` must be unflattened to that
    along `dim`.
    """
    repeats: str = ""
    """How often each slice is read in turn: `x[i // n]`."""
    count: str = ""
    window: tuple[str, str] | None = None
    """Each slice is so many entries, from so many on from where the one before it began."""
    test: str = ""
    """What has to hold for all slices to be of one length."""

    @property
    def axis(self) -> int:
        """Which dim of `mapped` to map: a run of d entries leaves its own dim behind the mapped one."""
        return self.dim - 1 if (self.chunk or self.window) and self.dim < 0 else self.dim

    @property
    def mapped(self) -> str:
        if self.repeats:
            return f"{self.base}.repeat_interleave({self.repeats}, dim={self.dim}).narrow({self.dim}, 0, {self.count})"
        if self.window is not None:
            turned = self.dim if self.dim < 0 else self.dim + 1
            turn = f".movedim(-1, {turned})" if turned != -1 else ""
            windows = f"{self.base}.unfold({self.dim}, {', '.join(self.window)})"
            return f"{windows}.narrow({self.axis}, 0, {self.count}){turn}"
        return f"{self.base}.unflatten({self.dim}, {self.chunk})" if self.chunk else self.base


def pick(scope: Scope, node: ast.Subscript, index: str, inline: dict[str, ast.expr], over: Range) -> Pick | None:
    """None where the subscript is not one slice per iteration. All other indexing goes into `base`."""
    items = list(node.slice.elts) if isinstance(node.slice, ast.Tuple) else [node.slice]
    hits = [place for place, item in enumerate(items) if _mentions(item, index, inline)]
    if len(hits) != 1 or not all(_plain(scope, item) for place, item in enumerate(items) if place != hits[0]):
        return None
    place = hits[0]
    after_dots = any(_is(item, ...) for item in items[:place])
    if any(_is(item, ...) for item in items[place + 1 :]) and after_dots:
        return None
    own = _own_dim(items, place, after_dots)
    kept = [isinstance(item, ast.Slice) or _is(item, None) for item in items]
    dim = -sum(kept[place + 1 :]) - 1 if after_dots else sum(kept[:place])
    element = items[place]
    shared = _shared(scope, element, index, inline)
    if shared is not None:
        if not over.uses_zero or over.step:
            return None
        texts = [":" if at == place else scope.source.segment(item) for at, item in enumerate(items)]
        return Pick(node, _indexed(scope, node.value, texts), dim, repeats=shared, count=over.stop)
    if isinstance(element, ast.Slice):
        chunk = _chunk(element, index, inline, over)
        if chunk is None:
            return _windowed(scope, node, items, place, (own, dim), _window(element, index, inline, over), over)
        span, sizes = chunk
    else:
        shift = _shift(element, index, inline, int(over.start))
        if shift is None:
            return None
        whole = shift == 0 and over.uses_zero and not over.step and same_size(scope, node.value, own, over.stop_node)
        span, sizes = ":" if whole else over.span(shift), ""
    texts = [span if at == place else scope.source.segment(item) for at, item in enumerate(items)]
    return Pick(node, _indexed(scope, node.value, texts), dim, sizes)


def _is(node: ast.expr, value: object) -> bool:
    return isinstance(node, ast.Constant) and node.value is value


def _own_dim(items: list[ast.expr], place: int, after_dots: bool) -> int:
    """Which dim of the indexed tensor the item at `place` stands for."""
    consuming = [not (_is(item, None) or _is(item, ...)) for item in items]
    return -sum(consuming[place:]) if after_dots else sum(consuming[:place])


def _indexed(scope: Scope, base: ast.expr, texts: list[str]) -> str:
    texts = [text.strip() for text in texts]
    while texts and (texts[-1] == ":" or (texts[-1] == "..." and "..." not in texts[:-1])):
        if texts[-1] == ":" and "..." in texts and set(texts) != {":", "..."}:
            break
        texts.pop()
    tight = isinstance(base, (ast.Name, ast.Attribute, ast.Call, ast.Subscript))
    text = scope.text(base) if tight else f"({scope.text(base)})"
    return f"{text}[{', '.join(texts)}]" if texts else text


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


def _shift(element: ast.expr, index: str, inline: dict[str, ast.expr], start: int) -> int | None:
    """c of `x[i + c]`, where that is not below zero."""
    line = linear(poly(element, inline), index)
    if line is None or line[0] != {(): 1} or set(line[1]) - {()}:
        return None
    shift = line[1].get((), 0)
    return shift if shift >= -start else None


def _shared(scope: Scope, element: ast.expr, index: str, inline: dict[str, ast.expr]) -> str | None:
    """n of `x[i // n]`: so many iterations share a slice, as queries' heads do those of keys."""
    while isinstance(element, ast.Name) and element.id in inline:
        element = inline[element.id]
    match element:
        case ast.BinOp(left=ast.Name(id=name), op=ast.FloorDiv(), right=right) if name == index:
            return scope.text(right) if is_number(scope, right) and not _mentions(right, index, inline) else None
        case _:
            return None


def _chunk(element: ast.Slice, index: str, inline: dict[str, ast.expr], over: Range) -> tuple[str, str] | None:
    """(span of all runs, sizes for unflatten) of `x[..., i*d + c : (i+1)*d + c]`."""
    if element.lower is None or element.upper is None or element.step is not None or not over.uses_zero or over.step:
        return None
    low, high = linear(poly(element.lower, inline), index), linear(poly(element.upper, inline), index)
    if low is None or high is None or low[0] != high[0] or not low[0]:
        return None
    width = {key: high[1].get(key, 0) - low[1].get(key, 0) for key in {*high[1], *low[1]}}
    width = {key: value for key, value in width.items() if value}
    if width != low[0]:
        return None
    size = poly_text(width)
    count = over.stop if over.stop.replace(".", "").replace("_", "").isalnum() else f"({over.stop})"
    total = f"{count} * {size}" if len(width) == 1 else f"{count} * ({size})"
    begin = poly_text(low[1]) if low[1] else ""
    return f"{begin} : {begin} + {total}" if begin else f": {total}", f"({over.stop}, {size})"


def _window(element: ast.Slice, index: str, inline: dict[str, ast.expr], over: Range) -> tuple[str, str] | None:
    """(length, step) of `x[..., i*s : i*s + n]`, where windows overlap or leave gaps."""
    if element.lower is None or element.upper is None or element.step is not None or not over.uses_zero or over.step:
        return None
    low, high = linear(poly(element.lower, inline), index), linear(poly(element.upper, inline), index)
    if low is None or high is None or low[0] != high[0] or not low[0] or low[1]:
        return None
    return poly_text(high[1]), poly_text(low[0])


def _windowed(
    scope: Scope, node: ast.Subscript, items: list[ast.expr], place: int, dims: tuple[int, int],
    window: tuple[str, str] | None, over: Range,
) -> Pick | None:  # fmt: skip
    if window is None or not isinstance(node.value, (ast.Name, ast.Attribute)):
        return None
    texts = [":" if at == place else scope.source.segment(item) for at, item in enumerate(items)]
    length, step = window
    size = f"{scope.text(node.value)}.shape[{dims[0]}]"
    by = step if step.replace(".", "").replace("_", "").isalnum() else f"({step})"
    test = ("" if by.isdigit() else f"{by} > 0 and ") + f"{length} + ({over.stop} - 1) * {by} <= {size}"
    return Pick(node, _indexed(scope, node.value, texts), dims[1], count=over.stop, window=window, test=test)
