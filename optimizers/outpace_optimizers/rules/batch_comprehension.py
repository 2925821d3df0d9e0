"""Writes the batched form of `torch.stack([f(x[i]) for i in range(n)])` and `sum(f(row) for row in x)`."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .batch_body import can_map
from .batch_emit import substituted, where, word
from .batch_index import Pick
from .batch_loop import Count, Mapped, picks, walk
from .batch_output import joining
from .flow import later_loads, names_in
from .names import own_nodes
from .scope import Scope
from .writing import Edit


def comprehensions(scope: Scope) -> Iterator[tuple[ast.AST, Edit]]:
    for node in own_nodes(scope.function):
        if isinstance(node, (ast.ListComp, ast.GeneratorExp)):
            edit = _comprehension(scope, node)
            if edit is not None:
                yield node, edit


def _comprehension(scope: Scope, node: ast.ListComp | ast.GeneratorExp) -> Edit | None:
    if len(node.generators) != 1 or node.generators[0].ifs or node.generators[0].is_async:
        return None
    place = _consumer(scope, node)
    header = walk(scope, node.generators[0].target, node.generators[0].iter)
    if place is None or header is None:
        return None
    found = picks(scope, [node.elt], header, {})
    if found is None:
        return None
    mapped = Mapped()
    for name, base, dim in header.direct:
        mapped.entries[base, dim] = name
    replaced: dict[ast.expr, str] = {}
    for item in found:
        if (names_in(item.node) - {header.index}) & names_in(node.generators[0].target):
            return None
        wanted = f"{header.index}_th" if isinstance(item, Count) else f"{word(item.node.value)}_{header.index}"
        replaced[item.node] = mapped.add(item.mapped, item.axis, wanted, scope)
    if not mapped.entries or not can_map(scope, [], [node.elt], set(mapped.entries.values())):
        return None
    edit = _edit(scope, node, place, mapped, substituted(scope, node.elt, replaced))
    tests = [*header.even, *dict.fromkeys(item.test for item in found if isinstance(item, Pick) and item.test)]
    return edit if where(scope, edit, tests) else None


def _edit(
    scope: Scope, node: ast.expr, place: tuple[ast.expr, int, str, ast.expr | None], mapped: Mapped, body: str
) -> Edit:
    whole, out, suffix, later = place
    vmap, needed = scope.names.spell("torch.vmap")
    dims = [dim for _, dim in mapped.entries]
    options = "" if set(dims) == {0} else f", in_dims=({', '.join(map(str, dims))}{',' if len(dims) == 1 else ''})"
    options += f", out_dims={out}" if out else ""
    call = f"{vmap}(lambda {', '.join(mapped.entries.values())}: {body}{options})"
    call += f"({', '.join(base for base, _ in mapped.entries)})"
    edit = Edit(imports=[needed] if needed else [])
    if later is None:
        edit.expression(scope.source, whole, call + suffix)
    else:
        assert isinstance(later, ast.Call)
        edit.expression(scope.source, node, call)
        edit.expression(scope.source, later, scope.text(later.args[0]) + suffix)
    return edit


def _consumer(scope: Scope, node: ast.expr) -> tuple[ast.expr, int, str, ast.expr | None] | None:
    """(expression to replace, out_dim, what follows, a later call that reads the list by name)."""
    parent = scope.parents.get(node)
    if isinstance(parent, ast.Call):
        if isinstance(parent.func, ast.Name) and parent.func.id == "sum" and len(parent.args) == 1:
            return (parent, 0, ".sum(0)", None) if scope.names.resolve(parent.func) is None else None
        joined = joining(scope, parent)
        return (parent, joined[1], joined[2], None) if joined is not None and joined[0] is node else None
    if not isinstance(parent, ast.Assign) or len(parent.targets) != 1 or not isinstance(parent.targets[0], ast.Name):
        return None
    place = scope.block_of(node)
    reads = later_loads(scope, place[0], place[1], parent.targets[0].id) if place is not None else None
    if not reads or len(reads) != 1 or isinstance(node, ast.GeneratorExp):
        return None
    call = scope.parents.get(reads[0])
    joined = joining(scope, call) if isinstance(call, ast.Call) else None
    if joined is None or joined[0] is not reads[0] or not isinstance(call, ast.Call):
        return None
    return node, joined[1], joined[2], call
