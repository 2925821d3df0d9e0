"""What is known of a function's parameters, and of those that a module's constructor makes."""

from __future__ import annotations

import ast

from .numbers_known import is_number
from .scope import Scope

_MAKERS = frozenset(f"torch.{name}" for name in ("ones", "zeros", "empty", "rand", "randn", "Tensor", "FloatTensor"))


def is_vector(scope: Scope, operand: ast.expr) -> bool:
    """Whether it is a parameter of one dimension: `self.gain = nn.Parameter(torch.ones(width))`."""
    made = scope.attribute(operand)
    if not isinstance(made, ast.Call) or not made.args:
        return False
    inner, names = made.args[0], scope.construction
    if names.resolve(made.func) != "torch.nn.Parameter" or not isinstance(inner, ast.Call) or len(inner.args) != 1:
        return False
    size = inner.args[0]
    if isinstance(size, (ast.Tuple, ast.List)) and len(size.elts) == 1:
        size = size.elts[0]
    several = isinstance(size, (ast.Tuple, ast.List, ast.Starred)) or ast.unparse(size) == "1"
    return names.resolve(inner.func) in _MAKERS and not several


def is_eps(scope: Scope, node: ast.expr) -> bool:
    """A number, or what a function is given under such a name without saying that it is a tensor."""
    args = scope.function.args
    every = [*args.posonlyargs, *args.args, *args.kwonlyargs]
    plain = {arg.arg for arg in every if arg.annotation is None and "eps" in arg.arg.lower()}
    return is_number(scope, node) or (isinstance(node, ast.Name) and node.id in plain)


def eps_text(scope: Scope, node: ast.expr) -> str:
    """As calls take it that want a number, which it may not be where it was only given under that name."""
    return scope.text(node) if is_number(scope, node) else f"float({scope.text(node)})"
