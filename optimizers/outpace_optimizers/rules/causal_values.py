"""What an expression is to a depthwise causal convolution: its rows, with zeros before them or not, or its result."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeAlias

from .causal_layers import Layer, function_layer, is_pure, module_layer, size_of
from .constants import constant
from .flow import names_in, number
from .scope import Scope

_SWAPS = (".transpose", ".swapaxes", ".swapdims", "torch.transpose")


@dataclass(frozen=True, slots=True)
class Rows:
    """The value of `node`, its last two dimensions exchanged where `swapped`; `padded`: so many zeros come first."""

    node: ast.expr
    swapped: bool = False
    padded: ast.expr | None = None

    @property
    def positions(self) -> int:
        """Which dimension of `node` is that of positions, where it goes into a convolution so."""
        return 1 if self.swapped else 2


@dataclass(frozen=True, slots=True)
class Conv:
    """Of `rows`, by `layer`; `last`: channels are its last dimension; `trimmed`: it is as long as the rows. `checks`
    have to hold where it runs.
    """

    rows: Rows
    layer: Layer
    checks: tuple[str, ...]
    trimmed: bool
    last: bool = False
    silu: bool = False


Value: TypeAlias = "Rows | Conv"
Known: TypeAlias = Mapping[str, Value]


class ConvReader:
    """Reads expressions of one function; `known` are the names that got a value in the statements being read."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def value(self, node: ast.expr, known: Known) -> Value | None:
        if isinstance(node, ast.Name) and node.id in known:
            return known[node.id]
        made: Value | None = None
        if isinstance(node, ast.Subscript):
            made = self._trimmed(node, known)
        elif isinstance(node, ast.Attribute) and node.attr == "mT":
            made = _swapped(self.value(node.value, known))
        elif isinstance(node, ast.Call):
            made = self._call(node, known)
        return made or (None if names_in(node) & set(known) else Rows(node))

    def _call(self, node: ast.Call, known: Known) -> Value | None:
        call = self.scope.names.call(node)
        if call is None or not call[1]:
            return None
        name, args, keys = call
        if name in _SWAPS or name in (".permute", "torch.permute", "einops.rearrange"):
            return _swapped(self.value(args[0], known)) if _is_swap(name, args[1:], keys) else None
        if name == ".contiguous" and len(args) == 1:
            inner = self.value(args[0], known)
            free = isinstance(inner, Conv) and inner.trimmed and inner.last
            return inner if free or (isinstance(inner, Rows) and inner.swapped) else None
        if name == "torch.nn.functional.pad":
            return self._padded(args, keys, known)
        if name == "torch.nn.functional.conv1d":
            layer = function_layer(self.scope, args, keys)
            bound = {name for item in [*args[1:], *keys.values()] for name in names_in(item)} & set(known)
            return self._conv(args[0], layer, known) if layer is not None and not bound else None
        if name == "torch.nn.functional.silu" or self._is_silu(node.func):
            given = args[0] if name == "torch.nn.functional.silu" else node.args[0] if node.args else None
            inner = self.value(given, known) if given is not None else None
            return replace(inner, silu=True) if isinstance(inner, Conv) and not inner.silu else None
        layer = module_layer(self.scope, node.func)
        plain = layer is not None and len(node.args) == 1 and not node.keywords
        return self._conv(node.args[0], layer, known) if plain else None

    def _is_silu(self, function: ast.expr) -> bool:
        made = self.scope.module(function)
        return made is not None and made[0] == "torch.nn.SiLU"

    def _padded(self, args: list[ast.expr], keys: dict[str, ast.expr], known: Known) -> Rows | None:
        """`F.pad(x, (taps - 1, 0))`."""
        rows, sides = self.value(args[0], known), args[1] if len(args) > 1 else keys.get("pad")
        if not isinstance(rows, Rows) or rows.padded is not None or len(args) > 2 or set(keys) - {"pad"}:
            return None
        match sides:
            case ast.Tuple(elts=[before, after]) | ast.List(elts=[before, after]) if number(after) == 0:
                free = is_pure(before) and not names_in(before) & set(known)
                return replace(rows, padded=before) if free else None
            case _:
                return None

    def _conv(self, given: ast.expr, layer: Layer | None, known: Known) -> Conv | None:
        rows = self.value(given, known)
        if not isinstance(rows, Rows) or layer is None or layer.padded is (rows.padded is not None):
            return None
        checks = self._one_less(rows.padded, layer) if rows.padded is not None else ()
        return Conv(rows, layer, checks, trimmed=not layer.padded) if checks is not None else None

    def _one_less(self, node: ast.expr, layer: Layer) -> tuple[str, ...] | None:
        """What has to hold for `node` to be the taps less one: nothing where that is known; None where it is not so."""
        value = constant(self.scope, node)
        if value is not None and layer.known is not None:
            return () if value == layer.known - 1 else None
        said, wanted = self.scope.text(node), f"{layer.taps} - 1"
        return () if said == wanted else (f"{said} == {wanted}",)

    def _trimmed(self, node: ast.Subscript, known: Known) -> Conv | None:
        """`[..., :length]`, `[:, :, :-(taps - 1)]`, or of channels last `[:, :length]`."""
        conv = self.value(node.value, known)
        stop = _stop(node.slice, conv.last) if isinstance(conv, Conv) and not conv.trimmed else None
        if not isinstance(conv, Conv) or stop is None:
            return None
        check = self._as_long(stop, conv, known)
        return replace(conv, trimmed=True, checks=(*conv.checks, *check)) if check is not None else None

    def _as_long(self, stop: ast.expr, conv: Conv, known: Known) -> tuple[str, ...] | None:
        if isinstance(stop, ast.UnaryOp) and isinstance(stop.op, ast.USub):
            free = is_pure(stop.operand) and not names_in(stop.operand) & set(known)
            return self._one_less(stop.operand, conv.layer) if free else None
        size = size_of(stop)
        if size is not None:
            rows, place = self.value(size[0], known), size[1]
            if isinstance(rows, Rows) and rows.padded is None and ast.dump(rows.node) == ast.dump(conv.rows.node):
                return () if place in ((2, -1) if rows.swapped is conv.rows.swapped else (1, -2)) else None
        if not is_pure(stop) or names_in(stop) & set(known):
            return None
        return (f"{self.scope.text(stop)} == {self.scope.text(conv.rows.node)}.shape[{conv.rows.positions}]",)


def _swapped(value: Value | None) -> Value | None:
    if isinstance(value, Conv):
        return replace(value, last=not value.last)
    return replace(value, swapped=not value.swapped) if value is not None and value.padded is None else None


def _is_swap(name: str, args: list[ast.expr], keys: dict[str, ast.expr]) -> bool:
    """Whether the last two of three dimensions are exchanged."""
    if name == "einops.rearrange":
        pattern = args[0].value if args and isinstance(args[0], ast.Constant) else ""
        sides = [side.split() for side in str(pattern).split("->")]
        if len(sides) != 2 or len(set(sides[0])) != 3 or not all(word.isidentifier() for word in sides[0]):
            return False
        return sides[1] == [sides[0][0], sides[0][2], sides[0][1]] and not set(keys) - set(sides[0])
    if keys:
        return False
    places = args[0].elts if len(args) == 1 and isinstance(args[0], (ast.Tuple, ast.List)) else args
    dims = [number(item) for item in places]
    return dims in ([0, 2, 1], [0, -1, 1]) if "permute" in name else {*dims} in ({1, 2}, {-1, -2}, {1, -1}, {2, -2})


def _stop(index: ast.expr, last: bool) -> ast.expr | None:
    """Where a slice of the positions ends that begins with the first."""
    items = list(index.elts) if isinstance(index, ast.Tuple) else [index]
    match last, [ast.unparse(item) for item in items]:
        case (True, [":", _] | [":" | "...", _, ":"]) | (False, ["...", _]):
            cut = items[1]
        case False, [":", ":", _]:
            cut = items[2]
        case _:
            return None
    if not isinstance(cut, ast.Slice) or cut.step is not None or (cut.lower is not None and number(cut.lower) != 0):
        return None
    return cut.upper
