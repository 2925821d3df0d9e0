"""Loops backwards over time whose list is turned around after them, with each result put in front: what `scan-call`
reads.

for t in reversed(range(n)):        for t in reversed(range(n)):
    h = a[t] * h + x[t]                 h = a[t] * h + x[t]
    out.append(h)                       out.insert(0, h)
out.reverse()
"""

from __future__ import annotations

import ast
from dataclasses import replace

from outpace_audit.records import Code

from .flow import last_change, loads
from .names import own_nodes
from .recurrences import steps_of
from .scope import Scope, scopes
from .writing import Edit, make_patch


def with_turned_list(code: Code, scope: Scope, loop: ast.For) -> tuple[Code, Scope, ast.For] | None:
    """The code in which the loop puts its results in front, and the loop there."""
    steps, place = steps_of(scope, loop), scope.block_of(loop)
    if steps is None or not steps.backwards or place is None:
        return None
    block, index = place
    match loop.body[-1], block[index + 1 : index + 2]:
        case (
            ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[value])),
            [ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=turned), attr="reverse"), args=[]))],
        ) if name == turned:
            pass
        case _:
            return None
    made = last_change(block, index, name)
    empty = made >= 0 and isinstance(block[made], ast.Assign) and ast.unparse(block[made]) == f"{name} = []"
    if not empty or any(loads(item, name) for item in [*loop.body[:-1], *block[made + 1 : index]]):
        return None
    edit = Edit()
    edit.replace(scope.source, loop.body[-1], [f"{name}.insert(0, {scope.text(value)})"])
    edit.replace(scope.source, block[index + 1], [])
    patch, at = make_patch(scope.source, code, scope.definition, edit), _loops(scope).index(loop)
    if patch is None:
        return None
    more = replace(code, source=patch.new_source)
    for again in scopes(more):
        if again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name:
            return more, again, _loops(again)[at]
    return None


def _loops(scope: Scope) -> list[ast.For]:
    return [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]
