"""Calls that reduce dimensions, and products and powers of elements, in every spelling."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import integer, is_own
from .flow import number
from .numbers_known import is_number
from .scope import Scope
from .spread import Spread

_ARITHMETIC: dict[str, type[ast.operator]] = {
    "add": ast.Add, "sub": ast.Sub, "subtract": ast.Sub, "mul": ast.Mult, "multiply": ast.Mult, "div": ast.Div,
    "divide": ast.Div, "true_divide": ast.Div, "pow": ast.Pow,
}  # fmt: skip


@dataclass(frozen=True)
class Reduction:
    """`of` reduced over `dims`, None for all of them."""

    of: ast.expr
    dims: tuple[int, ...] | None
    keepdim: bool
    keywords: dict[str, ast.expr]
    """Others than `dim` and `keepdim`."""


def reduction(scope: Scope, node: ast.expr, *operations: str, before_dim: tuple[str, ...] = ()) -> Reduction | None:
    """`x.sum(-1, keepdim=True)` or `torch.sum(x, dim=(1, 2))` for the operation `sum`; a function elsewhere is named in
    full. `before_dim` are parameters between the tensor and `dim`.
    """
    call = scope.names.call(node)
    if call is None or is_own(scope, node) or not call[1] or _operation(call[0]) not in operations:
        return None
    _, (of, *rest), keys = call
    names = (*before_dim, "dim", "keepdim")
    if len(rest) > len(names):
        return None
    given = dict(zip(names, rest, strict=False)) | keys
    dim, keep = given.pop("dim", None), given.pop("keepdim", None)
    kept = keep is not None and isinstance(keep, ast.Constant) and keep.value is True
    if keep is not None and not (isinstance(keep, ast.Constant) and isinstance(keep.value, bool)):
        return None
    if dim is None:
        return Reduction(of, None, kept, given) if keep is None else None
    items = dim.elts if isinstance(dim, (ast.Tuple, ast.List)) else [dim]
    dims = tuple(place for item in items if (place := integer(item)) is not None)
    return Reduction(of, dims, kept, given) if items and len(dims) == len(items) else None


def _operation(name: str) -> str:
    """`sum` of `torch.sum` and of `.sum`; all others by their full name."""
    short = name.removeprefix("torch").removeprefix(".")
    return short if name in (f"torch.{short}", f".{short}") and "." not in short else name


def operation(scope: Scope, node: ast.expr) -> tuple[str, list[ast.expr]] | None:
    """A call of tensors alone, without keywords: `("sqrt", [x])` of `torch.sqrt(x)` and `x.sqrt()`."""
    call = scope.names.call(node)
    if call is None or call[2] or not call[1] or is_own(scope, node):
        return None
    return _operation(call[0]), call[1]


def arithmetic(scope: Scope, node: ast.expr) -> tuple[type[ast.operator], ast.expr, ast.expr] | None:
    """`a * b`, `torch.mul(a, b)` or `a.mul(b)`, and so on."""
    if isinstance(node, ast.BinOp):
        return type(node.op), node.left, node.right
    found = operation(scope, node)
    if found is None or len(found[1]) != 2 or found[0] not in _ARITHMETIC:
        return None
    return _ARITHMETIC[found[0]], found[1][0], found[1][1]


def squared(scope: Scope, node: ast.expr) -> list[ast.expr] | None:
    """x, once or twice as it is written, of `x ** 2`, `x * x`, `torch.square(x)`, and so on."""
    found = operation(scope, node)
    if found is not None and found[0] == "square" and len(found[1]) == 1:
        return found[1]
    parts = arithmetic(scope, node)
    if parts is not None and parts[0] is ast.Pow and number(parts[2]) == 2:
        return [parts[1]]
    if parts is None or parts[0] is not ast.Mult or ast.dump(parts[1]) != ast.dump(parts[2]):
        return None
    called = any(isinstance(item, ast.Call) for item in ast.walk(parts[1]))
    return [parts[1], parts[2]] if not called else None


def rooted(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x of `x ** 0.5`, `x.sqrt()` and `torch.sqrt(x)`."""
    found = operation(scope, node)
    if found is not None and found[0] == "sqrt" and len(found[1]) == 1:
        return found[1][0]
    parts = arithmetic(scope, node)
    return parts[1] if parts is not None and parts[0] is ast.Pow and number(parts[2]) == 0.5 else None


def alone(scope: Scope, node: ast.expr) -> bool:
    """Whether any expression may stand in its place without parentheses."""
    parent = scope.parents.get(node)
    if isinstance(parent, ast.Call):
        return parent.func is not node
    return isinstance(parent, (ast.stmt, ast.keyword, ast.Tuple, ast.List))


def scaled(spread: Spread, node: ast.expr) -> tuple[ast.expr, str]:
    """x and ` * 2 / n` of `x * 2 / n`, for plain numbers; names on the way are taken."""
    suffix = ""
    while (found := factor(spread.scope, spread.value(node))) is not None:
        spread.take(node)
        node, sign, by = found
        text = spread.text(by)
        suffix = f" {sign} {f'({text})' if isinstance(by, (ast.BinOp, ast.IfExp)) else text}{suffix}"
    return node, suffix


def factor(scope: Scope, node: ast.expr) -> tuple[ast.expr, str, ast.expr] | None:
    """(x, `*` or `/`, the number) of a tensor times or over a plain number."""
    match arithmetic(scope, node):
        case (kind, left, right) if kind in (ast.Mult, ast.Div) and is_number(scope, right):
            return left, "*" if kind is ast.Mult else "/", right
        case (kind, left, right) if kind is ast.Mult and is_number(scope, left):
            return right, "*", left
        case _:
            return None
