"""What an expression is to an RMSNorm written out: rows, their squares, the mean, the scale, the normalised rows."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Generic, TypeAlias, TypeVar

from .flow import number
from .names import dotted
from .norm_lengths import LENGTHS, Length, Rows, Unit, length, normalized, root_of_width
from .numbers_known import is_number
from .parameters import is_eps
from .scope import Scope

_WIDE = ("torch.float32", "torch.float")


@dataclass(frozen=True, slots=True)
class Kind:
    """The dtype of some rows."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class Squares:
    rows: Rows
    mean: bool = False
    eps: ast.expr | None = None


@dataclass(frozen=True, slots=True)
class Root:
    """Of the mean square plus eps; `inverse`: one over it."""

    squares: Squares
    inverse: bool


@dataclass(frozen=True, slots=True)
class Norm:
    """Normalised rows. `wide`: computed in fp32; `cast`: brought to the rows' dtype at the end."""

    rows: Rows
    eps: ast.expr | str | None
    wide: bool
    weight: ast.expr | None = None
    cast: bool = False
    promoted: bool = False
    """Only their mean square was computed in fp32: rows in fp64 stay there."""
    clamped: bool = False
    """A clamped length was written: fp16 has no number as small as the clamp, so its rows of zeros become NaN."""

    @property
    def dtype(self) -> str | None:
        """How the result's dtype is spelled; None for the one that rows * weight has."""
        if self.weight is not None and self.cast:
            return f"{self.rows.name}.dtype"
        return "torch.float32" if self.wide else None


Value: TypeAlias = "Rows | Kind | Squares | Root | Norm | Length | Unit"
V = TypeVar("V")


class Known(Generic[V]):
    """What each name holds at one statement: what was assigned, else rows that nobody knows more of."""

    def __init__(self, values: Mapping[str, V], versions: Mapping[str, int] | None) -> None:
        self.values = values
        self.versions = versions
        """How often each name has been bound so far; None where only `values` have a meaning."""

    def get(self, name: str) -> V | Rows | None:
        if name in self.values or self.versions is None:
            return self.values.get(name)
        return Rows(name, self.versions.get(name, 0))


class Reader:
    """Reads expressions of one function."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope
        self.inlined: set[str] = set()
        """Methods whose one expression was read in place of a call."""

    def value(self, node: ast.expr, known: Known[Value]) -> Value | None:
        if isinstance(node, ast.Name):
            return known.get(node.id)
        if isinstance(node, ast.Attribute):
            inner = self.value(node.value, known)
            return Kind(inner) if node.attr == "dtype" and isinstance(inner, Rows) and not inner.wide else None
        if isinstance(node, ast.BinOp):
            return self._arithmetic(node, known)
        call = self.scope.names.call(node)
        if call is None or not isinstance(node, ast.Call):
            return None
        return self._call(*call, known) or self._inlined(node, known)

    def _arithmetic(self, node: ast.BinOp, known: Known[Value]) -> Value | None:
        left, right = self.value(node.left, known), self.value(node.right, known)
        match node.op, left, right:
            case ast.Pow(), Rows() | Squares(), _:
                return _power(left, number(node.right))
            case ast.Mult(), Rows(), Rows() if left == right:
                return Squares(left)
            case ast.Div(), Rows(), Length() if left == right.rows:
                return Unit(left, None)
            case ast.Mult() | ast.Div(), Unit(), None | Rows():
                return scaled(self.scope, left, node.right, isinstance(node.op, ast.Div))
            case ast.Mult(), None | Rows(), Unit():
                return scaled(self.scope, right, node.left, False)
            case ast.Mult(), Rows(), Root() if right.inverse:
                return _normalised(left, right)
            case ast.Mult(), Root(), Rows() if left.inverse:
                return _normalised(right, left)
            case ast.Div(), Rows(), Root() if not right.inverse:
                return _normalised(left, right)
            case ast.Div(), _, Root() if number(node.left) == 1 and not right.inverse:
                return replace(right, inverse=True)
            case ast.Mult(), Norm(), None | Rows():
                return self._gained(left, node.right)
            case ast.Mult(), None | Rows(), Norm():
                return self._gained(right, node.left)
            case ast.Add(), Squares(), None | Rows():
                return self._shifted(left, node.right)
            case ast.Add(), None | Rows(), Squares():
                return self._shifted(right, node.left)
            case _:
                return None

    def _gained(self, norm: Norm, weight: ast.expr) -> Norm | None:
        wide = norm.wide and not norm.cast
        call = self.scope.names.call(weight)
        if call is not None and self._to_fp32(*call):
            weight, wide = call[1][0], True
        plain = norm.weight is None and dotted(weight) is not None and not is_number(self.scope, weight)
        # Once brought to the rows' dtype, rows * weight decides as it does in the kernel.
        return replace(norm, weight=weight, wide=wide, cast=False) if plain else None

    def _to_fp32(self, name: str, args: list[ast.expr], keys: dict[str, ast.expr]) -> bool:
        wanted = [*args[1:], *keys.values()]
        if name == ".float":
            return not wanted
        return name in (".to", ".type") and len(wanted) == 1 and self.scope.names.resolve(wanted[0]) in _WIDE

    def _shifted(self, squares: Squares, eps: ast.expr) -> Squares | None:
        plain = squares.mean and squares.eps is None and is_eps(self.scope, eps)
        return replace(squares, eps=eps) if plain else None

    def _call(self, name: str, args: list[ast.expr], keys: dict[str, ast.expr], known: Known[Value]) -> Value | None:
        if not args:
            return None
        if name == "torch.nn.functional.rms_norm":
            return self._library(args, keys, known)
        if name == "torch.nn.functional.normalize" or name in LENGTHS:
            rows = self.value(args[0], known)
            made = normalized if name == "torch.nn.functional.normalize" else length
            return made(rows, args[1:], keys) if isinstance(rows, Rows) else None
        operation = name.removeprefix("torch").removeprefix(".")
        if name not in (f"torch.{operation}", f".{operation}"):
            return None
        value = self.value(args[0], known)
        match operation, value, args[1:], keys:
            case "pow", Rows() | Squares(), [exponent], {}:
                return _power(value, number(exponent))
            case "square", Rows(), [], {}:
                return Squares(value)
            case "mean", Squares(mean=False), _, _ if _over_rows(args[1:], keys):
                return replace(value, mean=True)
            case "rsqrt" | "sqrt", Squares(mean=True), [], {}:
                return Root(value, operation == "rsqrt")
            case "reciprocal", Root(inverse=False), [], {}:
                return replace(value, inverse=True)
            case "mul" | "multiply", Rows(), [other], {}:
                root = self.value(other, known)
                return _normalised(value, root) if isinstance(root, Root) and root.inverse else None
            case "mul" | "multiply", Norm(), [weight], {}:
                return self._gained(value, weight)
            case "mul" | "multiply", Unit(), [factor], {}:
                return scaled(self.scope, value, factor, False)
            case "float" | "to" | "type" | "type_as", Rows() | Norm(), _, _ if name.startswith("."):
                return self._cast(operation, value, args[1:], keys, known)
            case _:
                return None

    def _library(self, args: list[ast.expr], keys: dict[str, ast.expr], known: Known[Value]) -> Norm | None:
        """`F.rms_norm` over the last dimension, of which the spelling of the shape has to tell. The result has the
        rows' dtype, whatever the gain has.
        """
        given = dict(zip(("input", "normalized_shape", "weight", "eps"), args, strict=False)) | keys
        rows, weight, eps = self.value(args[0], known), given.get("weight"), given.get("eps")
        if not isinstance(rows, Rows) or rows.wide or not _last_size(given.get("normalized_shape"), rows.name):
            return None
        if weight is not None and dotted(weight) is None:
            return None
        if eps is None:
            eps_of = f"{self.scope.names.spell('torch.finfo')[0]}({rows.name}.dtype).eps"
            return Norm(rows, eps_of, False, weight, cast=True)
        return Norm(rows, eps, False, weight, cast=True) if is_number(self.scope, eps) else None

    def _cast(
        self, how: str, value: Rows | Norm, args: list[ast.expr], keys: dict[str, ast.expr], known: Known[Value]
    ) -> Value | None:
        if how == "float" and not args and not keys:
            return _widened(value)
        wanted = [*args, *(item for key, item in keys.items() if key == "dtype")]
        if len(wanted) != 1 or len(args) + len(keys) != 1:
            return None
        if how != "type_as" and self.scope.names.resolve(wanted[0]) in _WIDE:
            return _widened(value)
        target = self.value(wanted[0], known)
        rows = target.rows if isinstance(target, Kind) and how != "type_as" else target if how == "type_as" else None
        if not isinstance(value, Norm) or not isinstance(rows, Rows) or rows.wide or rows.base != value.rows.base:
            return None
        return replace(value, cast=True)

    def _inlined(self, node: ast.Call, known: Known[Value]) -> Value | None:
        """`self._norm(x)`, where the method is `return` of one expression of its one argument."""
        function = node.func
        owner = self.scope.definition.owner
        if not isinstance(function, ast.Attribute) or owner is None or len(node.args) != 1 or node.keywords:
            return None
        if not isinstance(function.value, ast.Name) or function.value.id != self.scope.self_name:
            return None
        method = self.scope.source.definitions.get(f"{owner.name}.{function.attr}")
        if method is None or not isinstance(method.node, ast.FunctionDef) or method.node.decorator_list:
            return None
        body = [item for item in method.node.body if not isinstance(item, ast.Expr)]
        names = [item.arg for item in method.node.args.args]
        argument = self.value(node.args[0], known)
        if len(body) != 1 or not isinstance(body[0], ast.Return) or body[0].value is None or argument is None:
            return None
        if len(names) != 2 or names[0] != self.scope.self_name:
            return None
        found = self.value(body[0].value, Known({names[1]: argument}, None))
        if found is not None:
            self.inlined.add(method.qualname)
        return found


def scaled(scope: Scope, unit: Unit, factor: ast.expr, divides: bool) -> Unit | Norm | None:
    """A row of length 1 by the root of its width, for certain, is an RMSNorm; a gain may come first."""
    if is_number(scope, factor):
        made = replace(unit, factor=factor, divides=divides) if unit.factor is None else None
    else:
        plain = unit.weight is None and dotted(factor) is not None and not divides
        made = replace(unit, weight=factor) if plain else None
    if made is None or made.factor is None or not root_of_width(scope, made):
        return made
    return Norm(replace(made.rows, wide=False), made.eps, made.rows.wide, made.weight, clamped=made.eps is not None)


def _last_size(shape: ast.expr | None, name: str) -> bool:
    """`(x.size(-1),)`, `[x.shape[-1]]`, `x.shape[-1:]`."""
    spelled = "" if shape is None else ast.unparse(shape).replace("[", "(").replace("]", ")").replace(",)", ")")
    return spelled in (f"({name}.size(-1))", f"({name}.shape(-1))", f"{name}.shape(-1:)")


def _power(value: Rows | Squares, exponent: float | complex | None) -> Value | None:
    if isinstance(value, Rows):
        return Squares(value) if exponent == 2 else None
    roots = {0.5: False, -0.5: True}
    return Root(value, roots[exponent]) if value.mean and exponent in roots else None  # type: ignore[index]


def _normalised(rows: Rows, root: Root) -> Norm | None:
    squares = root.squares
    if squares.rows.base != rows.base:
        return None
    return Norm(
        replace(rows, wide=False),
        squares.eps,
        rows.wide or squares.rows.wide,
        promoted=squares.rows.wide and not rows.wide,
    )


def _widened(value: Rows | Norm) -> Rows | Norm | None:
    if isinstance(value, Rows):
        return replace(value, wide=True)
    return replace(value, wide=True) if not value.cast and (value.wide or value.weight is None) else None


def _over_rows(args: list[ast.expr], keys: dict[str, ast.expr]) -> bool:
    """`(-1, keepdim=True)`, in any spelling."""
    named = dict(zip(("dim", "keepdim"), args, strict=False)) | {
        ("dim" if k == "axis" else k): v for k, v in keys.items()
    }
    if set(named) != {"dim", "keepdim"}:
        return False
    dim, keep = named["dim"], named["keepdim"]
    if isinstance(dim, (ast.Tuple, ast.List)) and len(dim.elts) == 1:
        dim = dim.elts[0]
    return number(dim) == -1 and isinstance(keep, ast.Constant) and keep.value is True
