"""A value that goes by a name on its way to the one expression that reads it."""

from __future__ import annotations

import ast

from .flow import changed, last_change, names_in
from .names import own_nodes
from .scope import Scope


def meant(scope: Scope, node: ast.expr) -> ast.expr:
    """What `node` is: of a name that the function binds once and reads once, in one list of statements and not by a
    nested function, the expression that it stands for; else itself.
    """
    if not isinstance(node, ast.Name):
        return node
    inside = [item for item in ast.walk(scope.function) if isinstance(item, ast.Name) and item.id == node.id]
    stores = [item for item in inside if isinstance(item.ctx, ast.Store)]
    if len(stores) != 1 or len(inside) != 2 or len(set(map(id, inside)) & set(map(id, own_nodes(scope.function)))) != 2:
        return node
    statement, there, here = scope.parents.get(stores[0]), scope.block_of(stores[0]), scope.block_of(node)
    plain = isinstance(statement, ast.Assign) and statement.targets == [stores[0]]
    if not plain or there is None or here is None or there[0] is not here[0] or there[1] >= here[1]:
        return node
    assert isinstance(statement, ast.Assign)
    return statement.value


def unchanged(scope: Scope, node: ast.expr, until: ast.expr) -> bool:
    """Whether what `node` reads is still the same where `until` is evaluated, later in the same list of statements."""
    there, here = scope.block_of(node), scope.block_of(until)
    if there is None or here is None or there[0] is not here[0]:
        return False
    names = {item.id for item in ast.walk(node) if isinstance(item, ast.Name)}
    return not any(changed(statement) & names for statement in there[0][there[1] : here[1]])


def latest(scope: Scope, node: ast.expr) -> ast.expr:
    """Of a name that a plain assignment above in the same list of statements bound last: what it was given."""
    place = scope.block_of(node)
    if not isinstance(node, ast.Name) or place is None:
        return node
    block, index = place
    loops = [item for item in ast.walk(block[index]) if isinstance(item, ast.comprehension)]
    at = last_change(block, index, node.id)
    statement = block[at] if at >= 0 else None
    if any(node.id in names_in(item.target) for item in loops) or not isinstance(statement, ast.Assign):
        return node
    (target, *more) = statement.targets
    return statement.value if isinstance(target, ast.Name) and not more else node


def bound(scope: Scope, node: ast.expr) -> ast.expr:
    """What a name stands for that the function binds once, however often it reads it; else itself."""
    if not isinstance(node, ast.Name):
        return node
    inside = [item for item in ast.walk(scope.function) if isinstance(item, ast.Name) and item.id == node.id]
    stores = [item for item in inside if isinstance(item.ctx, ast.Store)]
    statement = scope.parents.get(stores[0]) if len(stores) == 1 else None
    taken = node.id in {item.arg for item in ast.walk(scope.function.args) if isinstance(item, ast.arg)}
    return statement.value if isinstance(statement, ast.Assign) and statement.targets == stores and not taken else node
