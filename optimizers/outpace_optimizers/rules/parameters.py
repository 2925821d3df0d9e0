"""What a module's constructor says of its parameters."""

from __future__ import annotations

import ast

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
