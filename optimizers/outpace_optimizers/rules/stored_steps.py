"""Loops over time whose state is what they stored a step before, with a name for it: what `scan-call` reads.

for t in range(1, n):                       state = y[:, 0].clone()
    y[:, t] = a * y[:, t - 1] + x[:, t]     for t in range(1, n):
                                                state = a * state + x[:, t]
                                                y[:, t] = state
"""

from __future__ import annotations

import ast
from dataclasses import replace

from outpace_audit.records import Code

from .batch_emit import substituted
from .flow import loads
from .names import own_nodes
from .recurrences import steps_of
from .scope import Scope, scopes
from .writing import Edit, make_patch


def with_state(code: Code, scope: Scope, loop: ast.For) -> tuple[Code, Scope, ast.For] | None:
    """The code in which the loop carries its state under a name, and the loop there."""
    steps = steps_of(scope, loop)
    last = loop.body[-1]
    match last:
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=stored)) as target], value=value):
            pass
        case _:
            return None
    before = _at(scope, target, f"{steps.name} - 1", steps.name) if steps is not None else None
    if steps is None or steps.start < 1 or before is None:
        return None
    reads = [node for node in ast.walk(value) if isinstance(node, ast.Subscript) and ast.unparse(node) == before]
    if not reads or len(loads(loop, stored)) != len(reads) + 1:
        return None
    first, name = _at(scope, target, str(steps.start - 1), steps.name), scope.names.fresh(f"{stored}_state")
    edit = Edit()
    edit.before(scope.source, loop, [f"{name} = {first}.clone()"])
    update = substituted(scope, value, dict.fromkeys(reads, name))
    edit.replace(scope.source, last, [f"{name} = {update}", f"{scope.text(target)} = {name}"])
    patch, place = make_patch(scope.source, code, scope.definition, edit), _loops(scope).index(loop)
    if patch is None:
        return None
    more = replace(code, source=patch.new_source)
    for again in scopes(more):
        if again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name:
            return more, again, _loops(again)[place]
    return None


def _at(scope: Scope, target: ast.Subscript, step: str, name: str) -> str | None:
    """The subscript at another step; None where the step is not one of its items by itself, or is so twice."""
    items = target.slice.elts if isinstance(target.slice, ast.Tuple) else [target.slice]
    texts = [ast.unparse(item) for item in items]
    if texts.count(name) != 1 or any(text not in (name, ":", "...") for text in texts):
        return None
    index = ", ".join(step if text == name else text for text in texts)
    return f"{scope.text(target.value)}[{index}]"


def _loops(scope: Scope) -> list[ast.For]:
    return [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]
