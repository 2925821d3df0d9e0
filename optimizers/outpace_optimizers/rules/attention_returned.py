"""Functions that return the probabilities of attention to callers who do not read them: None does as well."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import replace

from .callers import Callers
from .names import own_nodes
from .scope import Scope


def without_unread(scope: Scope, callers: Callers) -> tuple[Scope, list[ast.Name]]:
    """The function as if it returned None for what nobody reads of its tuples, and the names that this replaces."""
    if scope.function is not scope.definition.node:
        return scope, []
    unread = list(_unread(scope, callers))
    if not unread or not callers.closed:
        return scope, []
    places = {(node.lineno, node.col_offset) for node in unread}
    function = _Nothing(places).visit(copy.deepcopy(scope.function))
    return replace(scope, function=function), unread


def _unread(scope: Scope, callers: Callers) -> Iterator[ast.Name]:
    for node in own_nodes(scope.function):
        if isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
            elements = node.value.elts
            for index, item in enumerate(elements):
                if index and isinstance(item, ast.Name) and callers.unread(scope.definition, index, len(elements)):
                    yield item


class _Nothing(ast.NodeTransformer):
    def __init__(self, places: set[tuple[int, int]]) -> None:
        self.places = places

    def visit_Name(self, node: ast.Name) -> ast.expr:
        there = (node.lineno, node.col_offset) in self.places
        return ast.copy_location(ast.Constant(None), node) if there else node


def dropouts_given(scope: Scope, callers: Callers) -> frozenset[str]:
    """The parameters that every caller gives an `nn.Dropout`, or nothing."""
    args = [*scope.function.args.posonlyargs, *scope.function.args.args]
    found: set[str] = set()
    for arg in args:
        called = any(isinstance(node, ast.Call) and _is_name(node.func, arg.arg) for node in own_nodes(scope.function))
        given = callers.passed(scope.definition, arg.arg) if called else None
        if given and all(_is_dropout(other, node) for other, node in given) and callers.closed:
            found.add(arg.arg)
    return frozenset(found)


def _is_name(node: ast.expr, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _is_dropout(scope: Scope, node: ast.expr) -> bool:
    if isinstance(node, ast.Constant) and node.value is None:
        return True
    made = scope.module(node) if scope.attribute(node) is not None else None
    return made is not None and made[0] == "torch.nn.Dropout"
