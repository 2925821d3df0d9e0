"""The same cast of an unchanged tensor, written several times in one function."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .flow import changed, names_in
from .invariants import name_for
from .names import own_nodes
from .pure_ops import CASTS
from .scope import Block, Scope


@dataclass(frozen=True)
class Repeated:
    """Before `first`: each cast's value under a new name."""

    first: ast.stmt
    casts: tuple[tuple[str, str, tuple[ast.expr, ...]], ...]


def repeated(scope: Scope) -> Iterator[Repeated]:
    """Casts that occur at least twice among the straight-line statements of one block."""
    seen: set[ast.expr] = set()
    for block in scope.blocks():
        for nodes in _groups(scope, block).values():
            for group in _unchanged(block, nodes):
                if len(group) > 1 and not seen & {node for _, node in group}:
                    seen |= {node for _, node in group}
                    node = group[0][1]
                    name = scope.names.fresh(name_for(node))
                    yield Repeated(block[group[0][0]], ((name, scope.text(node), tuple(item for _, item in group)),))


def _groups(scope: Scope, block: Block) -> dict[str, list[tuple[int, ast.expr]]]:
    found: dict[str, list[tuple[int, ast.expr]]] = {}
    for index, statement in enumerate(block):
        if not isinstance(statement, (ast.Assign, ast.Return, ast.AnnAssign, ast.AugAssign)):
            continue
        for node in own_nodes(statement):
            if isinstance(node, ast.expr) and _cast(scope, node) and _always(scope, node, statement):
                found.setdefault(ast.dump(node), []).append((index, node))
    return found


def _cast(scope: Scope, node: ast.expr) -> bool:
    call = scope.names.call(node)
    if call is None or call[0] not in CASTS:
        return False
    names = {child for child in ast.walk(node) if isinstance(child, ast.Call)}
    return len(names) == 1 and isinstance(call[1][0], (ast.Name, ast.Attribute))


def _always(scope: Scope, node: ast.expr, statement: ast.stmt) -> bool:
    """Evaluated whenever the statement is, and its value not changed in place or kept as it is."""
    parent = scope.parents.get(node)
    if isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Return, ast.Tuple, ast.List, ast.Dict, ast.Starred)):
        return False
    if isinstance(parent, ast.Attribute) and parent.attr.endswith("_"):
        return False
    while parent is not None and parent is not statement:
        if isinstance(parent, (ast.IfExp, ast.BoolOp, ast.Lambda, ast.ListComp, ast.GeneratorExp, ast.DictComp)):
            return False
        parent = scope.parents.get(parent)
    return True


def _unchanged(block: Block, nodes: list[tuple[int, ast.expr]]) -> Iterator[list[tuple[int, ast.expr]]]:
    """Splits the occurrences wherever a statement between two of them may change what they read."""
    group: list[tuple[int, ast.expr]] = []
    for index, node in nodes:
        if group:
            between = [name for statement in block[group[-1][0] : index] for name in changed(statement)]
            if set(between) & names_in(node):
                yield group
                group = []
        group.append((index, node))
    yield group
