"""Whether a loop's count is, by its spelling or its one definition, the size of a tensor's dim."""

from __future__ import annotations

import ast

from .attention_ops import integer
from .numbers_known import is_shape
from .scope import Scope


def same_size(scope: Scope, base: ast.expr, dim: int, stop: ast.expr) -> bool:
    """Whether `stop` is, by its spelling or its one definition, the size of `base` along `dim`."""
    match stop:
        case ast.Subscript(value=ast.Attribute(value=owner, attr="shape"), slice=place):
            return ast.dump(owner) == ast.dump(base) and integer(place) == dim
        case ast.Call(func=ast.Attribute(value=owner, attr="size"), args=[place]):
            return ast.dump(owner) == ast.dump(base) and integer(place) == dim
        case ast.Call(func=ast.Name(id="len"), args=[owner]):
            return ast.dump(owner) == ast.dump(base) and dim == 0
        case ast.Name(id=name):
            made = [item for item in ast.walk(scope.function) if isinstance(item, ast.Assign) and binds(item, name)]
            return len(made) == 1 and _unpacked(scope, made[0], name, base, dim)
        case _:
            return False


def binds(node: ast.Assign, name: str) -> bool:
    """Whether the assignment gives `name` a value, alone or in a tuple."""
    return any(
        isinstance(item, ast.Name) and item.id == name and isinstance(item.ctx, ast.Store)
        for target in node.targets
        for item in ast.walk(target)
    )


def _unpacked(scope: Scope, made: ast.Assign, name: str, base: ast.expr, dim: int) -> bool:
    target = made.targets[0]
    rebound = isinstance(base, ast.Name) and any(
        isinstance(item, ast.Name) and item.id == base.id and isinstance(item.ctx, ast.Store)
        for item in ast.walk(scope.function)
    )
    if rebound and not _before(scope, made, base):
        return False
    if isinstance(target, ast.Name):
        return not isinstance(made.value, ast.Name) and same_size(scope, base, dim, made.value)
    if isinstance(target, ast.Tuple) and is_shape(made.value) and not isinstance(made.value, ast.Subscript):
        owner = made.value.func.value if isinstance(made.value, ast.Call) else made.value.value  # type: ignore[union-attr]
        names = [item.id if isinstance(item, ast.Name) else "" for item in target.elts]
        place = names.index(name) if name in names else -1
        return ast.dump(owner) == ast.dump(base) and (dim == place or dim == place - len(names))
    return False


def _before(scope: Scope, made: ast.Assign, base: ast.expr) -> bool:
    """Whether every binding of `base` comes before `made`."""
    assert isinstance(base, ast.Name)
    return all(
        item.lineno < made.lineno
        for item in ast.walk(scope.function)
        if isinstance(item, ast.Name) and item.id == base.id and isinstance(item.ctx, ast.Store)
    )
