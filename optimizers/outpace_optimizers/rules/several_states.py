"""Loops over time with several states, of which the first is given a loop of its own: what `scan-call` reads.

for t in range(n):                          s_list = []
    s = s + k[t] * v[t]                     for t in range(n):
    z = z + k[t]                                s = s + k[t] * v[t]
    out.append(q[t] * s / z)                    s_list.append(s)
                                            s_all = torch.stack(s_list)
                                            for t in range(n):
                                                z = z + k[t]
                                                s = s_all[t, ...]
                                                out.append(q[t] * s / z)
"""

from __future__ import annotations

import ast
from dataclasses import replace

from outpace_audit.records import Code

from .batch_emit import margin
from .batch_output import pairs_of
from .flow import changed, loads, names_in
from .names import own_nodes
from .recurrences import steps_of
from .scope import Scope, scopes
from .writing import Edit, make_patch


def with_loop_of_its_own(code: Code, scope: Scope, loop: ast.For) -> tuple[Code, Scope, ast.For] | None:
    """The code in which the first state has a loop of its own, and that loop."""
    steps, updates = steps_of(scope, loop), _updates(loop)
    if steps is None or steps.stop is None or steps.backwards or steps.start or len(updates) < 2:
        return None
    state, update = updates[0]
    inside, place = set[str]().union(*map(changed, loop.body)), loop.body.index(update)
    reading = [at for at, item in enumerate(loop.body) if item is not update and loads(item, state)]
    last = max(loop.body.index(other) for _, other in updates)
    if (names_in(update) & inside) - {state} or any(at < last for at in reading) or place > last:
        return None
    if sum(state in changed(item) for item in loop.body) != 1:
        return None
    several, whole = scope.names.fresh(f"{state}_list"), scope.names.fresh(f"{state}_all")
    stack, needed = scope.names.spell("torch.stack")
    indent, head = scope.source.indent, f"for {steps.name} in {scope.text(loop.iter)}:"
    first = [f"{head}\n{indent}{scope.text(update)}\n{indent}{several}.append({state})"]
    rest: list[str] = []
    for at, item in enumerate(loop.body):
        if at == (reading[0] if reading else -1):
            rest.append(f"{state} = {whole}[{steps.name}, ...]")
        rest += [line.removeprefix(margin(scope, item)) for line in scope.text(item).split("\n")] * (item is not update)
    second = "\n".join([head, *(indent + line for line in rest)])
    edit = Edit(imports=[needed] if needed else [])
    edit.replace(scope.source, loop, [f"{several} = []", *first, f"{whole} = {stack}({several})", second])
    patch, at = make_patch(scope.source, code, scope.definition, edit), _loops(scope).index(loop)
    if patch is None or not reading:
        return None
    more = replace(code, source=patch.new_source)
    for again in scopes(more):
        if again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name:
            return more, again, _loops(again)[at]
    return None


def _updates(loop: ast.For) -> list[tuple[str, ast.stmt]]:
    """Statements that make a name's next value of the one that it has."""
    return [(name, item) for item in loop.body for name, value in pairs_of(item) if name in names_in(value)]


def _loops(scope: Scope) -> list[ast.For]:
    return [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]
