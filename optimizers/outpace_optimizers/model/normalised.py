"""A hash that two texts share if they differ in nothing that runs: it tells an idea from those that were tried."""

from __future__ import annotations

import ast

from outpace_audit.records import content_id
from outpace_optimizers.source import FunctionNode, tree_of


def fingerprint(text: str) -> str:
    """Equal for texts that differ in comments, white space, docstrings, order of imports and names of locals only."""
    tree = _Plain().visit(tree_of(text))
    for node in tree.body:
        _rename_in(node)
    imports = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
    rest = [node for node in tree.body if not isinstance(node, (ast.Import, ast.ImportFrom))]
    return content_id(sorted(map(ast.dump, imports)), [ast.dump(node) for node in rest])


class _Plain(ast.NodeTransformer):
    """Docstrings, and other constants that stand alone, go; so does `pass` beside other statements."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        body = getattr(node, "body", None)
        if isinstance(body, list):
            body[:] = [one for one in body if not _is_idle(one)] or [ast.Pass()]
        return node


def _is_idle(node: object) -> bool:
    return isinstance(node, ast.Pass) or (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))


def _rename_in(node: ast.AST) -> None:
    """Locals of each outermost function, numbered as they come."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
        _rename_locals(node)
        return
    for child in ast.iter_child_nodes(node):
        _rename_in(child)


def _rename_locals(function: FunctionNode) -> None:
    nodes = list(ast.walk(function))
    kept = {node.arg for node in nodes if isinstance(node, ast.arg)}
    kept |= {name for node in nodes if isinstance(node, (ast.Global, ast.Nonlocal)) for name in node.names}
    bound = {node.id for node in nodes if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load)} - kept
    numbers: dict[str, str] = {}
    for node in _in_order(function):
        if isinstance(node, ast.Name) and node.id in bound:
            node.id = numbers.setdefault(node.id, f"local {len(numbers)}")


def _in_order(node: ast.AST) -> list[ast.AST]:
    found = [node]
    for child in ast.iter_child_nodes(node):
        found += _in_order(child)
    return found
