"""Casts around a rotation: of what goes in to fp32, and of what comes out to another dtype."""

from __future__ import annotations

import ast

from .complex_turns import spelled
from .flow import changed
from .names import own_nodes, words
from .scope import Scope

_SHAPES = words("flatten reshape view unflatten transpose permute contiguous squeeze unsqueeze movedim swapaxes")
"""Methods that a cast of their result may as well come before."""
_DTYPES = {".half": "torch.float16", ".bfloat16": "torch.bfloat16", ".float": "torch.float32"}
_FLOATS = frozenset({*_DTYPES.values(), "torch.half", "torch.float"})


def uncast(scope: Scope, node: ast.expr) -> str | None:
    """The text without the cast of what is cast to fp32: `x.float()`, or a method for shapes of that."""
    inner = _widened(scope, node)
    if inner is not None:
        return spelled(scope, inner)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
        return None
    cast = node.func.value
    inner = _widened(scope, cast)
    if inner is None or not (node.func.attr in ("reshape", "unflatten") or _splits_last(node)):
        return None
    whole, start = scope.text(node), scope.text(cast)
    if not whole.startswith(start):
        return None
    return spelled(scope, inner) + whole[len(start) :]


def _widened(scope: Scope, node: ast.expr) -> ast.expr | None:
    call = scope.names.call(node)
    if call is None:
        return None
    name, given, keywords = call
    if name == ".float" and len(given) == 1 and not keywords:
        return given[0]
    wanted = given[1] if len(given) == 2 and not keywords else keywords.get("dtype") if len(given) == 1 else None
    plain = name in (".to", ".type") and wanted is not None and keywords.keys() <= {"dtype"}
    wide = plain and wanted is not None and scope.names.resolve(wanted) in ("torch.float32", "torch.float")
    return given[0] if wide else None


def _splits_last(node: ast.Call) -> bool:
    """`.view(*x.shape[:-1], -1, 2)`: a view of whatever x is."""
    return (
        isinstance(node.func, ast.Attribute)
        and node.func.attr == "view"
        and len(node.args) == 3
        and isinstance(node.args[0], ast.Starred)
        and ast.unparse(node.args[0].value).endswith((".shape[:-1]", ".size()[:-1]"))
    )


def cast_after(scope: Scope, node: ast.expr) -> str | None:
    """The dtype that all there is of `node` is cast to, as text that means the same where `node` is computed."""
    start, current = scope.block_of(node), node
    while start is not None:
        parent = scope.parents.get(current)
        outer = scope.parents.get(parent) if parent is not None else None
        if isinstance(parent, ast.Attribute) and isinstance(outer, ast.Call) and outer.func is parent:
            if parent.attr in _SHAPES:
                current = outer
                continue
            found = _dtype(scope, outer)
            here = scope.block_of(outer)
            if found is None or here is None or here[0] is not start[0]:
                return None
            text, name = found
            between = here[0][start[1] : here[1]]
            return None if name is not None and any(name in changed(item) for item in between) else text
        read = _read(scope, parent) if isinstance(parent, ast.Assign) and parent.value is current else None
        if read is None:
            return None
        current = read
    return None


def _dtype(scope: Scope, call: ast.Call) -> tuple[str, str | None] | None:
    """Of a cast, and the name that it is taken from."""
    made = scope.names.call(call)
    if made is None or made[2]:
        return None
    name, given = made[0], made[1][1:]
    if name in _DTYPES and not given:
        return scope.names.spell(_DTYPES[name])[0], None
    match given:
        case [ast.Name(id=other)] if name == ".type_as":
            return f"{other}.dtype", other
        case [ast.Attribute(value=ast.Name(id=other), attr="dtype")] if name in (".to", ".type"):
            return f"{other}.dtype", other
        case [ast.expr() as kind] if name in (".to", ".type") and scope.names.resolve(kind) in _FLOATS:
            return scope.text(kind), None
        case _:
            return None


def _read(scope: Scope, statement: ast.Assign) -> ast.Name | None:
    """The one place that reads the one name which the statement binds, in its own list of statements."""
    (target, *more) = statement.targets
    if more or not isinstance(target, ast.Name):
        return None
    every = [item for item in ast.walk(scope.function) if isinstance(item, ast.Name) and item.id == target.id]
    own = set(map(id, own_nodes(scope.function)))
    reads = [item for item in every if isinstance(item.ctx, ast.Load)]
    there, here = scope.block_of(statement), scope.block_of(reads[0]) if reads else None
    plain = len(every) == 2 and len(reads) == 1 and all(id(item) in own for item in every)
    return reads[0] if plain and there and here and there[0] is here[0] and there[1] < here[1] else None
