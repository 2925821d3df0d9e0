"""An expression of one function in the words of another that calls it."""

from __future__ import annotations

import ast
import copy
from collections.abc import Mapping


def put(node: ast.expr, known: Mapping[str, ast.expr]) -> ast.expr | None:
    """With the names that are `known` put in; None where it has others, or binds some."""
    if any(isinstance(item, ast.Name) and item.id not in known for item in ast.walk(node)):
        return None
    if any(isinstance(item, (ast.Lambda, ast.NamedExpr, ast.comprehension)) for item in ast.walk(node)):
        return None
    made = _Put(known).visit(copy.deepcopy(node))
    return made if isinstance(made, ast.expr) else None


class _Put(ast.NodeTransformer):
    def __init__(self, known: Mapping[str, ast.expr]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        return copy.deepcopy(self.known[node.id])
