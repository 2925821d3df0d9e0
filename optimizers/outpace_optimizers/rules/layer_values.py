"""What an expression is to a LayerNorm written out: rows, their mean, rows less that, the variance, the norm."""

from __future__ import annotations

import ast
from dataclasses import dataclass, replace
from typing import TypeAlias

from .flow import number
from .norm_values import Kind, Known, Rows
from .numbers_known import is_number
from .parameters import is_eps
from .scope import Scope

LAST = "-1:"
_FP32 = ("torch.float32", "torch.float")


@dataclass(frozen=True, slots=True)
class Mean:
    """Over the last dimensions, those of shape[`dims`]; `kept`: they are there with size 1. `squares`: of the rows'
    squares.
    """

    rows: Rows
    dims: str
    kept: bool
    squares: bool = False


@dataclass(frozen=True, slots=True)
class Squared:
    """The rows, their mean or what is left without it, times itself."""

    of: Rows | Mean | Centred


@dataclass(frozen=True, slots=True)
class Centred:
    """Rows less their mean, times `weight` where there is one already."""

    rows: Rows
    dims: str
    weight: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Variance:
    """Biased. `eps` is None until it is added."""

    rows: Rows
    dims: str
    kept: bool
    eps: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Deviation:
    """The root of a variance; `inverse`: one over it."""

    variance: Variance
    inverse: bool


@dataclass(frozen=True, slots=True)
class Layer:
    """Normalised rows, times `weight`, plus `bias`."""

    rows: Rows
    dims: str
    eps: ast.expr
    weight: ast.expr | None = None
    bias: ast.expr | None = None


LayerValue: TypeAlias = "Rows | Kind | Mean | Squared | Centred | Variance | Deviation | Layer"


class LayerReader:
    """Reads expressions of one function."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def value(self, node: ast.expr, known: Known[LayerValue]) -> LayerValue | None:
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self.value(node.value, known)
            return Kind(inner) if node.attr == "dtype" and isinstance(inner, Rows) and not inner.wide else None
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node.op, node.left, node.right, known)
        if isinstance(node, ast.Subscript):
            return self._indexed(node, known)
        call = self.scope.names.call(node)
        return self._call(*call, known) if call is not None else None

    def pair(self, node: ast.expr, known: Known[LayerValue]) -> tuple[Variance, Mean] | None:
        """`torch.var_mean(x, dim=-1, unbiased=False, keepdim=True)`."""
        call = self.scope.names.call(node)
        if call is None or call[0] != "torch.var_mean" or not call[1]:
            return None
        rows, over = self.value(call[1][0], known), _biased(call[1][1:], call[2])
        return (Variance(rows, *over), Mean(rows, *over)) if isinstance(rows, Rows) and over is not None else None

    def _indexed(self, node: ast.Subscript, known: Known[LayerValue]) -> LayerValue | None:
        """`mean[..., None]`."""
        last = isinstance(node.slice, ast.Tuple) and ast.unparse(node.slice) in ("(..., None)", "..., None")
        return _unsqueezed(self.value(node.value, known)) if last else None

    def _arithmetic(
        self, op: ast.operator, first: ast.expr, second: ast.expr, known: Known[LayerValue]
    ) -> LayerValue | None:
        left, right = self.value(first, known), self.value(second, known)
        match op, left, right:
            case ast.Sub(), Rows(), Mean(kept=True, squares=False) if left == right.rows:
                return Centred(left, right.dims)
            case ast.Sub(), Mean(squares=True), Squared(of=Mean(squares=False) as mean) if mean == replace(
                left, squares=False
            ):
                return Variance(mean.rows, mean.dims, mean.kept)
            case ast.Pow(), _, _:
                return _power(left, number(second))
            case ast.Mult(), Rows() | Mean() | Centred(), _ if left == right:
                return _power(left, 2)
            case ast.Mult(), Centred(), Deviation(inverse=True):
                return _normalised(left, right)
            case ast.Mult(), Deviation(inverse=True), Centred():
                return _normalised(right, left)
            case ast.Div(), Centred(), Deviation(inverse=False):
                return _normalised(left, right)
            case ast.Div(), _, Deviation(inverse=False) if number(first) == 1:
                return replace(right, inverse=True)
            case ast.Mult() | ast.Add(), _, _:
                return self._changed(op, first, left, second, right) or self._changed(op, second, right, first, left)
            case _:
                return None

    def _changed(
        self, op: ast.operator, node: ast.expr, value: LayerValue | None, other: ast.expr, by: LayerValue | None
    ) -> LayerValue | None:
        """`value` times a gain, plus a bias, or plus eps."""
        if by is not None and not isinstance(by, Rows):
            return None
        match op, value:
            case ast.Add(), Variance(eps=None) if is_eps(self.scope, other):
                return replace(value, eps=other)
            case ast.Mult(), Centred(weight=None) | Layer(weight=None, bias=None) if self._is_gain(other, node):
                return replace(value, weight=other)
            case ast.Add(), Layer(bias=None) if self._is_gain(other, node):
                return replace(value, bias=other)
            case _:
                return None

    def _is_gain(self, node: ast.expr, other: ast.expr) -> bool:
        """A name or attribute that is no plain number: it is multiplied in or added as it was, whatever its shape."""
        plain = isinstance(node, ast.Name) or self.scope.attribute(node) is not None
        return plain and not is_number(self.scope, node) and ast.dump(node) != ast.dump(other)

    def _call(
        self, name: str, args: list[ast.expr], keys: dict[str, ast.expr], known: Known[LayerValue]
    ) -> LayerValue | None:
        operation = name.removeprefix("torch").removeprefix(".")
        if not args or name not in (f"torch.{operation}", f".{operation}"):
            return None
        if operation in _OPERATORS and len(args) == 2 and not keys:
            return self._arithmetic(_OPERATORS[operation], args[0], args[1], known)
        value, rest = self.value(args[0], known), args[1:]
        match operation, value, rest, keys:
            case "square", _, [], {} if not keys:
                return _power(value, 2)
            case "mean", Rows() | Squared(), _, _:
                return _averaged(value, _over(rest, keys))
            case "var", Rows(), _, _ if (over := _biased(rest, keys)) is not None:
                return Variance(value, *over)
            case "rsqrt" | "sqrt", Variance(), [], _ if not keys:
                return _root(value, operation == "rsqrt")
            case "reciprocal", Deviation(inverse=False), [], _ if not keys:
                return replace(value, inverse=True)
            case "unsqueeze", _, [dim], _ if not keys and number(dim) == -1:
                return _unsqueezed(value)
            case "float", Rows(), [], _ if not keys:
                return replace(value, wide=True)
            case "to" | "type", Rows(), [kind], _ if not keys and self.scope.names.resolve(kind) in _FP32:
                return replace(value, wide=True)
            case _:
                return None


_OPERATORS: dict[str, ast.operator] = {
    "add": ast.Add(), "sub": ast.Sub(), "subtract": ast.Sub(), "mul": ast.Mult(), "multiply": ast.Mult(),
    "div": ast.Div(), "divide": ast.Div(), "true_divide": ast.Div(), "pow": ast.Pow(),
}  # fmt: skip


def _power(value: LayerValue | None, exponent: float | None) -> LayerValue | None:
    match value, exponent:
        case Rows() | Mean(squares=False), 2:
            return Squared(value)
        case Centred(weight=None), 2:
            return Squared(value)
        case Variance(), 0.5 | -0.5:
            return _root(value, exponent == -0.5)
        case _:
            return None


def _root(variance: Variance, inverse: bool) -> Deviation | None:
    return Deviation(variance, inverse) if variance.kept and variance.eps is not None else None


def _averaged(value: Rows | Squared, over: tuple[str, bool] | None) -> Mean | Variance | None:
    match value, over:
        case Rows(), (dims, kept):
            return Mean(value, dims, kept)
        case Squared(of=Rows() as rows), (dims, kept):
            return Mean(rows, dims, kept, squares=True)
        case Squared(of=Centred(rows=rows, dims=same)), (dims, kept) if same == dims:
            return Variance(rows, dims, kept)
        case _:
            return None


def _unsqueezed(value: LayerValue | None) -> LayerValue | None:
    """The mean or variance of rows, with the dimension back that it was taken over."""
    if not isinstance(value, (Mean, Variance)) or value.dims != LAST or value.kept:
        return None
    return replace(value, kept=True)


def _normalised(centred: Centred, deviation: Deviation) -> Layer | None:
    variance = deviation.variance
    if (variance.rows, variance.dims) != (centred.rows, centred.dims) or variance.eps is None:
        return None
    return Layer(centred.rows, centred.dims, variance.eps, centred.weight)


def _over(args: list[ast.expr], keys: dict[str, ast.expr]) -> tuple[str, bool] | None:
    """(which of the last dimensions, whether they are kept) of `(-1, keepdim=True)`, in any spelling."""
    named = _named(("dim", "keepdim"), args, keys)
    return _reduced(named) if named is not None and set(named) <= {"dim", "keepdim"} else None


def _biased(args: list[ast.expr], keys: dict[str, ast.expr]) -> tuple[str, bool] | None:
    """The same for a variance, where it is the biased one for certain."""
    named = _named(("dim", "unbiased", "keepdim"), args, keys)
    if named is None or len(set(named) & {"unbiased", "correction"}) != 1:
        return None
    unbiased, correction = named.pop("unbiased", None), named.pop("correction", None)
    zero = isinstance(correction, ast.Constant) and correction.value == 0
    never = isinstance(unbiased, ast.Constant) and unbiased.value is False
    return _reduced(named) if (zero or never) and set(named) <= {"dim", "keepdim"} else None


def _named(names: tuple[str, ...], args: list[ast.expr], keys: dict[str, ast.expr]) -> dict[str, ast.expr] | None:
    """NumPy's `axis` and `keepdims` are left out: what is spelled so may be an array."""
    return dict(zip(names, args, strict=False)) | keys if len(args) <= len(names) else None


def _reduced(named: dict[str, ast.expr]) -> tuple[str, bool] | None:
    dim, keep = named.get("dim"), named.get("keepdim")
    items = dim.elts if isinstance(dim, (ast.Tuple, ast.List)) else [dim]
    places = sorted(int(value) for item in items if (value := number(item)) is not None)
    kept = keep is not None and isinstance(keep, ast.Constant) and keep.value is True
    plain = keep is None or (isinstance(keep, ast.Constant) and isinstance(keep.value, bool))
    dims = _trailing(places) if len(places) == len(items) else None
    return (dims, kept) if plain and dims is not None else None


def _trailing(places: list[int]) -> str | None:
    """The dimensions as a slice of a shape, where they are its last ones.

    Counted from the front they are where there are no more, which the call itself asks for: it raises for others. A
    single second dimension is more often that of channels.
    """
    if not places or places != list(range(places[0], places[0] + len(places))):
        return None
    if places[-1] == -1:
        return f"{places[0]}:"
    few = places[0] < 1 or (places[0] == 1 and len(places) < 3)
    return None if few else f"{places[0]}:{places[-1] + 1}"
