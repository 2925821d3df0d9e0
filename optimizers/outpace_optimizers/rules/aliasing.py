"""Who shares memory with whom: views, names for them, and what a loop changes through them."""

from __future__ import annotations

import ast

from .flow import changed, changes, names_in, root
from .names import own_nodes
from .pure_ops import VIEW_FUNCTIONS, VIEWS
from .scope import Scope

Loop = ast.For | ast.While


_FILLED = frozenset({"append", "extend", "insert", "pop", "remove", "clear", "update", "setdefault", "appendleft"})
"""Methods that change a list, dict, set or deque."""


def mutated(statement: ast.stmt) -> set[str]:
    """Names changed other than by plain assignment: in place, by subscript, by augmented assignment, as a container."""
    found: set[str] = set()
    for node in ast.walk(statement):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in _FILLED:
            found.add(root(node.func.value) or "")
        if not isinstance(node, ast.Name):
            found |= set(changes(node))
        if isinstance(node, ast.AugAssign):
            found.add(root(node.target) or "")
    return found


def aliases(scope: Scope, mutated: set[str]) -> set[str]:
    """Every name of the function that may share memory with one of `mutated`, by way of assignments of
    views.
    """
    pairs = [
        (name, shared)
        for node in own_nodes(scope.function)
        if isinstance(node, ast.Assign) and (shared := shared_root(scope, node.value)) is not None
        for target in node.targets
        if not _copies(target)
        for name in names_in(target)
    ]
    found = set(mutated)
    size = 0
    while size != len(found):
        size = len(found)
        for one, two in pairs:
            if {one, two} & found:
                found |= {one, two} - {scope.self_name}
    own = {scope.self_name or ""}
    return found - own | (own & mutated)


def _copies(target: ast.expr) -> bool:
    """`y[:, 0] = h`: what has slices in its index is no container, and takes the numbers alone."""
    match target:
        case ast.Subscript(slice=ast.Tuple(elts=items)):
            return any(isinstance(item, ast.Slice) for item in items)
        case _:
            return False


def changes_self(scope: Scope, loop: Loop) -> bool:
    """Whether the loop calls a method of the same class that stores attributes or works in place."""
    owner = scope.definition.owner
    for node in ast.walk(loop):
        if owner is not None and isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            method = scope.source.definitions.get(f"{owner.name}.{node.func.attr}")
            if method is not None and scope.self_name in changed(method.node):
                return True
    return False


def shares(scope: Scope, parent: ast.AST, child: ast.AST) -> bool:
    """Whether the parent expression may be a view of the child."""
    if isinstance(parent, ast.Subscript):
        return parent.value is child
    if isinstance(parent, ast.Attribute):
        return parent.value is child and (parent.attr in ("T", "mT", "data") or "." + parent.attr in VIEWS)
    if isinstance(parent, ast.Call):
        call = scope.names.call(parent)
        return parent.func is child or (call is not None and call[0] in VIEW_FUNCTIONS)
    return False


def shared_root(scope: Scope, node: ast.expr) -> str | None:
    """The name that the expression may share memory with, through views only."""
    while not isinstance(node, ast.Name):
        if isinstance(node, (ast.Subscript, ast.Attribute)):
            node = node.value
            continue
        call = scope.names.call(node)
        if call is None or not call[1] or call[0] not in VIEWS | VIEW_FUNCTIONS:
            return None
        node = call[1][0]
    return node.id
