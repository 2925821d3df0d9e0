"""Loops over time of which the last step is written as a case of its own, and stores that are chained, written as all
other steps are: what `scan-call` reads.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from outpace_audit.records import Code

from .aliasing import aliases, mutated
from .batch_emit import substituted
from .flow import changed
from .names import own_nodes
from .numbers_known import is_number
from .recurrences import steps_of
from .scope import Scope, scopes
from .writing import Edit, make_patch


@dataclass
class _Ends:
    """(tensor, what comes after its last element) -> the name of its elements one step later."""

    names: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])


def with_even_steps(code: Code, scope: Scope, loop: ast.For) -> tuple[Code, Scope, ast.For] | None:
    """The code in which all of the loop's steps are alike, and the loop there."""
    steps = steps_of(scope, loop)
    if steps is None or steps.stop is None or steps.start:
        return None
    edit, ends, last = Edit(), _Ends(), f"{ast.unparse(steps.stop)} - 1"
    kept = changed(loop) | aliases(scope, mutated(loop))
    for statement in loop.body:
        texts = _unchained(scope, statement)
        if isinstance(statement, ast.If):
            texts = list(_either(scope, statement, steps.name, last, kept, ends))
        if texts:
            edit.replace(scope.source, statement, texts)
    if not edit.replaced:
        return None
    for (tensor, end), name in ends.names.items():
        edit.before(scope.source, loop, [_shifted(scope, edit, tensor, end, name, scope.text(steps.stop))])
    patch = make_patch(scope.source, code, scope.definition, edit)
    if patch is None:
        return None
    more, place = replace(code, source=patch.new_source), _loops(scope).index(loop)
    for again in scopes(more):
        if again.definition.qualname == scope.definition.qualname and again.function.name == scope.function.name:
            return more, again, _loops(again)[place]
    return None


def _loops(scope: Scope) -> list[ast.For]:
    return [node for node in own_nodes(scope.function) if isinstance(node, ast.For)]


def _unchained(scope: Scope, statement: ast.stmt) -> list[str]:
    """`x[t] = h = value` as `h = value` and `x[t] = h`; nothing for any other statement."""
    match statement:
        case ast.Assign(targets=[one, two], value=value):
            pass
        case _:
            return []
    name, store = (one, two) if isinstance(one, ast.Name) else (two, one)
    if not isinstance(name, ast.Name) or not isinstance(store, ast.Subscript):
        return []
    if any(isinstance(node, ast.Name) and node.id == name.id for node in ast.walk(store)):
        return []
    return [f"{name.id} = {scope.text(value)}", f"{scope.text(store)} = {name.id}"]


def _either(scope: Scope, statement: ast.If, step: str, last: str, kept: set[str], ends: _Ends) -> Iterator[str]:
    """What `if t == n - 1: a = end` and `else: a = x[t + 1]` come to, where x one step later ends with `end`."""
    at_end, before = statement.body, statement.orelse
    test = ast.unparse(statement.test)
    if test == f"{step} < {last}":
        at_end, before = before, at_end
    elif test != f"{step} == {last}":
        return
    if len(at_end) != len(before) or not at_end:
        return
    texts: list[str] = []
    for one, two in zip(at_end, before, strict=True):
        match one, two:
            case ast.Assign(targets=[ast.Name(id=a)], value=end), ast.Assign(targets=[ast.Name(id=b)], value=value):
                pairs = dict(_differences(end, value) or ()) if a == b else {}
            case _:
                return
        if ast.unparse(one) == ast.unparse(two):
            texts.append(scope.text(two))
            continue
        if not pairs or any(not _fits(scope, node, tensor, step, kept) for node, tensor in pairs.items()):
            return
        texts.append(f"{a} = {substituted(scope, value, dict(_read(scope, pairs, step, ends)))}")
    yield from texts


def _read(scope: Scope, pairs: dict[ast.expr, ast.Subscript], step: str, ends: _Ends) -> Iterator[tuple[ast.expr, str]]:
    for end, node in pairs.items():
        key = scope.text(node.value), scope.text(end)
        if key not in ends.names:
            ends.names[key] = scope.names.fresh(f"{key[0]}_next")
        yield node, f"{ends.names[key]}[{step}]"


def _differences(end: ast.expr, value: ast.expr) -> list[tuple[ast.expr, ast.Subscript]] | None:
    """What the one has in place of a subscript of the other; None where they differ by anything else."""
    if ast.dump(end) == ast.dump(value):
        return []
    if isinstance(value, ast.Subscript):
        return [(end, value)]
    match end, value:
        case ast.BinOp(left=a, op=one, right=b), ast.BinOp(left=c, op=two, right=d) if type(one) is type(two):
            left, right = _differences(a, c), _differences(b, d)
            return [*left, *right] if left is not None and right is not None else None
        case ast.UnaryOp(op=one, operand=a), ast.UnaryOp(op=two, operand=c) if type(one) is type(two):
            return _differences(a, c)
        case _:
            return None


def _fits(scope: Scope, end: ast.expr, node: ast.Subscript, step: str, kept: set[str]) -> bool:
    """Whether `end` is a name, no number, or the tensor's `[-1]`, and `node` the next step of another, both as they
    were before the loop.
    """
    match node:
        case ast.Subscript(
            value=ast.Name(id=tensor),
            slice=ast.BinOp(left=ast.Name(id=index), op=ast.Add(), right=ast.Constant(value=1)),
        ) if index == step:
            pass
        case _:
            return False
    if isinstance(end, ast.Name):
        return not is_number(scope, end) and not {end.id, tensor} & kept
    return ast.unparse(end) == f"{tensor}[-1]" and tensor not in kept


def _shifted(scope: Scope, edit: Edit, tensor: str, end: str, name: str, count: str) -> str:
    if end == f"{tensor}[-1]":
        cat, needed = scope.names.spell("torch.cat")
        edit.imports += [needed] if needed else []
        return f"{name} = {cat}(({tensor}[1:{count}], {tensor}[-1:]))"
    (cat, one), (spread, two) = scope.names.spell("torch.cat"), scope.names.spell("torch.broadcast_to")
    edit.imports += [needed for needed in (one, two) if needed]
    return f"{name} = {cat}(({tensor}[1:{count}], {spread}({end}, (1, *{tensor}.shape[1:]))))"
