"""Values that were cast to fp32, as the narrower ones that they were before: the same expression without the cast."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeGuard

from .aliasing import aliases, mutated
from .flow import ancestors, changed, last_change, later_loads, names_in
from .names import dotted, own_nodes, words
from .scope import Block, Scope

_FP32 = frozenset({"torch.float32", "torch.float"})
_ARRANGED = words(
    "t transpose permute view reshape unsqueeze squeeze expand expand_as movedim swapaxes flatten unflatten narrow "
    "select contiguous clone repeat repeat_interleave index_select"
)
"""Methods that move elements and compute none: the cast may as well come after them."""
_INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


Twins = dict[tuple[ast.stmt, str], str]


@dataclass(frozen=True, eq=False)
class Bound:
    """A name that a statement binds to a cast value, `given` there. `twin` is the name of that value before the cast,
    where it needs one of its own; `value` is what that is bound to.
    """

    block: Block
    index: int
    name: str
    given: ast.expr
    value: ast.expr
    twin: str | None

    @property
    def statement(self) -> ast.stmt:
        return self.block[self.index]


@dataclass(frozen=True, eq=False)
class Upcasts:
    """Of one function; `bound` are the names that were seen through, by statement and name. `twins` are names once
    given, which several readings may share.
    """

    scope: Scope
    twins: Twins = field(default_factory=dict[tuple[ast.stmt, str], str])
    bound: dict[tuple[ast.stmt, str], Bound] = field(default_factory=dict[tuple[ast.stmt, str], Bound])

    def narrow(self, node: ast.expr) -> ast.expr | None:
        """What stands for `node` without its cast; None where none is seen."""
        inner = cast_to_fp32(self.scope, node)
        if inner is not None:
            return self.narrow(inner) or inner
        match node:
            case ast.Name():
                return self._named(node)
            case ast.Attribute(value=of, attr="T" | "mT" as attr):
                found = self.narrow(of)
                return ast.Attribute(found, attr, ast.Load()) if found is not None else None
            case ast.Subscript(value=of):
                found = self.narrow(of)
                return ast.Subscript(found, node.slice, ast.Load()) if found is not None else None
            case ast.Call():
                return self._called(node)
            case _:
                return None

    def _called(self, node: ast.Call) -> ast.expr | None:
        call = self.scope.names.call(node)
        if call is None or call[0].removeprefix("torch").removeprefix(".") not in _ARRANGED:
            return None
        found = self.narrow(call[1][0]) if call[1] else None
        if found is None:
            return None
        if call[0].startswith("torch."):
            return ast.Call(node.func, [found, *node.args[1:]], node.keywords)
        return ast.Call(ast.Attribute(found, call[0][1:], ast.Load()), node.args, node.keywords)

    def _named(self, node: ast.Name) -> ast.expr | None:
        place = self._definition(node)
        if place is None:
            return None
        block, index, given = place
        known = self.bound.get((block[index], node.id))
        value = known.value if known is not None else self.narrow(given)
        if value is None or not self._lasts(node, block, index, value):
            return None
        if known is None:
            plain = dotted(value) is not None and not self._rebound(node, block, index, value)
            twin = None if plain else self._twin(node, block[index])
            known = self.bound[block[index], node.id] = Bound(block, index, node.id, given, value, twin)
        if known.twin is not None:
            return ast.Name(known.twin, ast.Load())
        return value if not self._rebound(node, block, index, value) else None

    def _twin(self, node: ast.Name, statement: ast.stmt) -> str:
        if (statement, node.id) not in self.twins:
            self.twins[statement, node.id] = self.scope.names.fresh(f"{node.id}_narrow")
        return self.twins[statement, node.id]

    def _definition(self, node: ast.Name) -> tuple[Block, int, ast.expr] | None:
        """The assignment whose value this is, in the same list of statements or one around it, and the value."""
        place = self.scope.block_of(node)
        around = list(ancestors(self.scope, node))
        inner = around[: around.index(place[0][place[1]])] if place is not None else around
        if any(isinstance(item, (*_INNER, ast.NamedExpr)) for item in inner):
            return None
        while place is not None:
            block, index = place
            found = last_change(block, index, node.id)
            if found >= 0:
                given = assigned(block[found]).get(node.id)
                return (block, found, given) if given is not None else None
            holder = self.scope.parents.get(block[index])
            if not isinstance(holder, ast.stmt) or holder is self.scope.function or node.id in changed(holder):
                return None
            place = self.scope.block_of(holder)
        return None

    def _between(self, node: ast.AST, block: Block, index: int) -> Iterator[ast.stmt]:
        """The statements that run from a definition to `node`, whole ones: a loop may run again what comes later."""
        around = {*ancestors(self.scope, node)}
        for statement in block[index + 1 :]:
            if statement in around and isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Return, ast.Expr)):
                return
            yield statement
            if statement in around:
                return

    def _rebound(self, node: ast.AST, block: Block, index: int, value: ast.expr) -> bool:
        between = {name for statement in self._between(node, block, index) for name in changed(statement)}
        return not names_in(value).isdisjoint(between | changed(block[index]))

    def _lasts(self, node: ast.Name, block: Block, index: int, value: ast.expr) -> bool:
        """Whether neither the value nor what it was cast from is changed in place before `node` reads it."""
        touched = {name for statement in self._between(node, block, index) for name in mutated(statement)}
        return {node.id, *names_in(value)}.isdisjoint(aliases(self.scope, touched))


def cast_to_fp32(scope: Scope, node: ast.expr) -> ast.expr | None:
    """x of `x.float()`, `x.to(torch.float32)`, `x.to(dtype=torch.float)`, `x.type(torch.float32)`."""
    call = scope.names.call(node)
    if call is None or not call[1]:
        return None
    name, (of, *rest), keys = call
    wanted = [*rest, *keys.values()]
    if name == ".float":
        return of if not wanted else None
    plain = name in (".to", ".type") and len(wanted) == 1 and set(keys) <= {"dtype"}
    return of if plain and scope.names.resolve(wanted[0]) in _FP32 else None


def assigned(statement: ast.stmt) -> dict[str, ast.expr]:
    """Name -> value of `x = y`, and of each of `x, y = y, x`."""
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)], value=value):
            return {name: value}
        case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
            return {name: value}
        case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Tuple(elts=values)):
            names = [target.id for target in targets if isinstance(target, ast.Name)]
            starred = any(isinstance(value, ast.Starred) for value in values)
            same = len(names) == len({*names}) == len(targets) == len(values)
            return dict(zip(names, values, strict=True)) if same and not starred else {}
        case _:
            return {}


def unread(scope: Scope, bound: Sequence[Bound], gone: set[ast.AST]) -> set[ast.stmt]:
    """The statements whose values nobody reads any more, once the nodes of `gone` are; the last comes first."""
    removed: set[ast.stmt] = set()
    deleted = {node.id for node in own_nodes(scope.function) if _deletes(node)}
    known = {(item.statement, item.name) for item in bound}
    for item in sorted(bound, key=lambda item: item.statement.lineno, reverse=True):
        names = assigned(item.statement)
        reads = [later_loads(scope, item.block, item.index, name) for name in names]
        seen = all((item.statement, name) in known for name in names) and deleted.isdisjoint(names)
        if seen and all(found is not None and all(read in gone for read in found) for found in reads):
            removed.add(item.statement)
            gone |= set(ast.walk(item.statement))
    return removed


def _deletes(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)
