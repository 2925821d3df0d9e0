"""Whether a factor on the scores is one number for each query: only then can the query be multiplied instead."""

from __future__ import annotations

import ast

from .attention_mask import definition
from .attention_ops import integer
from .flow import number
from .names import words
from .numbers_known import is_number
from .scope import Scope

_POINTWISE = words(
    "exp log clamp clamp_min clamp_max abs sigmoid softplus tanh relu sqrt rsqrt reciprocal to float type"
)
_MAKERS = words("ones zeros full rand randn empty")
_SAYS_SO = ("scal", "temp", "factor", "tau", "gain", "beta", "alpha")
"""Parts of names for a factor of all scores; `decay` or `mask` may as well differ from key to key."""


def per_row(scope: Scope, node: ast.expr, depth: int = 8) -> bool:
    """A tensor whose last dimension is 1, or that has none: as it was made, or, not seen made, by its name."""
    if depth == 0:
        return False
    made = scope.attribute(node)
    if made is not None:
        return per_row(scope.constructor, made, depth - 1)
    if is_number(scope, node):
        return True
    match node:
        case ast.Name():
            value = definition(scope, node)
            return per_row(scope, value, depth - 1) if value is not None else _named(node.id)
        case ast.Attribute():
            return _named(node.attr)
        case ast.BinOp(left=left, right=right):
            return per_row(scope, left, depth - 1) and per_row(scope, right, depth - 1)
        case ast.UnaryOp(operand=operand):
            return per_row(scope, operand, depth - 1)
        case ast.Subscript(value=value, slice=ast.Tuple(elts=[*_, ast.Constant(value=None)])):
            return isinstance(value, (ast.Name, ast.Attribute))
        case ast.Call():
            return _made(scope, node, depth)
        case _:
            return False


def filling(scope: Scope, node: ast.expr) -> ast.expr:
    """The number in `torch.full([], number, dtype=...)` and `torch.tensor(number)`; else the node itself."""
    call = scope.names.call(node)
    if call is None or not call[1]:
        return node
    name, args, _ = call
    if name == "torch.full" and len(args) == 2 and isinstance(args[0], (ast.List, ast.Tuple)) and not args[0].elts:
        return args[1]
    plain = name in ("torch.tensor", "torch.as_tensor") and is_number(scope, args[0])
    return args[0] if plain else node


def _named(name: str) -> bool:
    return any(part in name.lower() for part in _SAYS_SO)


def _made(scope: Scope, node: ast.Call, depth: int) -> bool:
    call = scope.names.call(node)
    if call is None or not call[1]:
        return False
    name, args, keywords = call
    word = name.rpartition(".")[2]
    if word in _MAKERS and name == f"torch.{word}":
        given = keywords.get("size", args[0])
        shape = given.elts if isinstance(given, (ast.Tuple, ast.List)) else args[:1] if word == "full" else args
        return not shape or integer(shape[-1]) == 1
    if name in ("torch.tensor", "torch.as_tensor", "torch.FloatTensor", "torch.Tensor"):
        inner = args[0].elts if isinstance(args[0], (ast.List, ast.Tuple)) else [args[0]]
        return len(inner) == 1 and (number(inner[0]) is not None or is_number(scope, inner[0]))
    if name in ("torch.nn.Parameter", "torch.nn.parameter.Parameter") or word in _POINTWISE:
        return per_row(scope, args[0], depth - 1)
    return name in (".view", ".reshape") and len(args) > 2 and integer(args[-1]) == 1
