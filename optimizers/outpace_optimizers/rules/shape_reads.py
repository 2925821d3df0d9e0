"""Names of which nothing is read but how large they are."""

from __future__ import annotations

import ast

from .scope import Scope

_SIZES = frozenset({"shape", "ndim", "dim", "size", "numel"})


def only_sizes_elsewhere(scope: Scope, read: ast.Name) -> bool:
    """Whether all that the function reads of this name besides is its sizes, itself or by a function of the file."""
    others = [item for item in _loads(scope.function, read.id) if item is not read]
    return all(_is_size(scope.parents.get(item)) or _is_given(scope, item) for item in others)


def _loads(function: ast.AST, name: str) -> list[ast.Name]:
    every = (item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == name)
    return [item for item in every if isinstance(item.ctx, ast.Load)]


def _is_size(parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.Attribute) and isinstance(parent.ctx, ast.Load) and parent.attr in _SIZES


def _is_given(scope: Scope, read: ast.Name) -> bool:
    """To a function that reads the sizes of this argument alone."""
    call = scope.parents.get(read)
    if not isinstance(call, ast.Call) or read not in call.args or not isinstance(call.func, ast.Name):
        return False
    found = scope.source.definitions.get(call.func.id) if call.func.id not in scope.names.bound else None
    function = found.node if found is not None else None
    place = call.args.index(read)
    if not isinstance(function, ast.FunctionDef) or function.decorator_list or place >= len(function.args.args):
        return False
    if any(isinstance(item, ast.Starred) for item in call.args[:place]) or function.args.posonlyargs:
        return False
    parents = {child: node for node in ast.walk(function) for child in ast.iter_child_nodes(node)}
    inside = [
        item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == function.args.args[place].arg
    ]
    return all(_is_size(parents.get(item)) for item in inside)
