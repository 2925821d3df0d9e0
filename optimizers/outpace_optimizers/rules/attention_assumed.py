"""Attention that is plain while `head_mask`, `output_attentions` and the like are not given: a branch of its own."""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from outpace_optimizers.source import Position

from .attention_call import Attention
from .flow import changed, loads
from .names import own_nodes
from .scope import Block, Scope
from .writing import Choice, Edit

_MOST, _TOGETHER = 6, 3
"""How many arguments are looked at, and how many of them a branch may depend on."""


@dataclass(frozen=True)
class Assumed:
    """The function as it is under `test`: that the `known` arguments are not given. True: they are None."""

    scope: Scope
    known: dict[str, bool]
    test: str


def assumptions(scope: Scope) -> Iterator[Assumed]:
    """Few arguments first."""
    tests = dict(list(_tests(scope).items())[:_MOST])
    for count in range(1, _TOGETHER + 1):
        for names in combinations(tests, count):
            known = {name: tests[name] for name in names}
            function = _Pruned(known).visit(copy.deepcopy(scope.function))
            spelled = [f"{name} is None" if none else f"not {name}" for name, none in known.items()]
            yield Assumed(replace(scope, function=function), known, " and ".join(spelled))


def _tests(scope: Scope) -> dict[str, bool]:
    """Parameters that the function asks for and never sets: whether it compares them with None."""
    args = scope.function.args
    bound = {node.id for node in ast.walk(scope.function) if isinstance(node, ast.Name) and _stores(node)}
    found: dict[str, bool] = {}
    for name in [arg.arg for arg in (*args.posonlyargs, *args.args, *args.kwonlyargs)]:
        if name in bound or name == scope.self_name:
            continue
        tests = [node.test for node in own_nodes(scope.function) if isinstance(node, (ast.If, ast.IfExp))]
        compared = any(_whether_none(part, name) is not None for test in tests for part in ast.walk(test))
        if compared or any(_truth(test, {name: False}) is not None for test in tests):
            found[name] = compared
    return found


def _stores(node: ast.Name) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _whether_none(node: ast.AST, name: str) -> bool | None:
    """What `name is None` or `name is not None` says where it is."""
    match node:
        case ast.Compare(
            left=ast.Name(id=asked), ops=[ast.Is() | ast.IsNot() as op], comparators=[ast.Constant(value=None)]
        ) if asked == name:
            return isinstance(op, ast.Is)
        case _:
            return None


def _truth(test: ast.expr, known: dict[str, bool]) -> bool | None:
    """What the test says while the known names are not given; None where that does not decide it."""
    match test:
        case ast.Name(id=name) if name in known:
            return False
        case ast.Compare(left=ast.Name(id=name)) if known.get(name):
            return _whether_none(test, name)
        case ast.UnaryOp(op=ast.Not(), operand=inner):
            said = _truth(inner, known)
            return None if said is None else not said
        case ast.BoolOp(op=op, values=values):
            said, last = [_truth(value, known) for value in values], isinstance(op, ast.Or)
            return last if last in said else None if None in said else not last
        case _:
            return None


class _Pruned(ast.NodeTransformer):
    def __init__(self, known: dict[str, bool]) -> None:
        self.known = known

    def visit_If(self, node: ast.If) -> ast.AST | list[ast.stmt]:
        said = _truth(node.test, self.known)
        self.generic_visit(node)
        if said is None:
            node.body = node.body or [ast.copy_location(ast.Pass(), node)]
            return node
        return node.body if said else node.orelse

    def visit_IfExp(self, node: ast.IfExp) -> ast.AST:
        said = _truth(node.test, self.known)
        self.generic_visit(node)
        return node if said is None else node.body if said else node.orelse


def branch(scope: Scope, assumed: Assumed, attention: Attention, edit: Edit, unread: Sequence[ast.Name] = ()) -> bool:
    """Makes of an edit of the pruned function a branch of the function as it is; False where that can't be written.

    `unread`: what the function returns and no caller reads, None in the branch where its value is gone.
    """
    spots = [*attention.removed, attention.node]
    block, first, last = around(scope, [scope.source.start(node) for node in spots])
    region = block[first : last + 1]
    lines = [node.lineno for node in block]
    if not region or any(lines.count(node.lineno) > 1 for node in region):
        return False
    gone = {name for statement in attention.removed for name in changed(statement)}
    inside = {node for statement in region for node in ast.walk(statement)}
    read = sorted(name for name in gone if any(node not in inside for node in loads(scope.function, name)))
    for node in unread:
        if node.id in gone and node in inside:
            edit.expression(scope.source, node, "None")
    starts = {scope.source.start(statement) for statement in attention.removed}
    if not all(_settle(scope, statement, assumed.known, starts, edit) for statement in region):
        return False
    extra = [f"{name} = None" for name in read]
    edit.choices[scope.source.start(region[0])] = Choice(assumed.test, scope.source.start(region[-1]), extra)
    return True


def around(scope: Scope, spots: Sequence[Position]) -> tuple[Block, int, int]:
    """The innermost statement list that holds all of the places, and its first and last statement that hold some."""
    found: tuple[Block, int, int] = ([], 0, 0)
    for block in scope.blocks():
        holders = [index for spot in spots for index, node in enumerate(block) if _holds(scope, node, spot)]
        if len(holders) == len(spots):
            found = block, min(holders), max(holders)
    return found


def _holds(scope: Scope, node: ast.stmt, spot: Position) -> bool:
    return scope.source.start(node) <= spot < scope.source.end(node)


def _settle(scope: Scope, node: ast.stmt, known: dict[str, bool], gone: set[Position], edit: Edit) -> bool:
    """In place of an `if` that the test has decided, what it then does and is still needed."""
    said = _truth(node.test, known) if isinstance(node, ast.If) else None
    if not isinstance(node, ast.If) or said is None:
        return True
    kept = [item for item in (node.body if said else node.orelse) if scope.source.start(item) not in gone]
    if not all(isinstance(item, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr)) for item in kept):
        return False
    start = scope.source.start(node)
    if any(start <= where[0] and where[1] <= scope.source.end(node) for where in edit.expressions):
        return False
    edit.replaced[start] = [scope.text(item) for item in kept]
    return True
