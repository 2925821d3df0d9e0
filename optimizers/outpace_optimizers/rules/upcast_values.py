"""Values that were cast to fp32, as the narrower ones that they were before: the same expression without the cast."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeGuard

from .aliasing import aliases, mutated
from .flow import ancestors, changed, last_change, later_loads, names_in
from .names import dotted, own_nodes, words
from .norm_sites import bound_name
from .scope import Block, Scope

_FP32 = frozenset({"torch.float32", "torch.float"})
_ARRANGED = words(
    "t transpose permute view reshape unsqueeze squeeze expand expand_as movedim swapaxes flatten unflatten narrow "
    "select contiguous clone repeat repeat_interleave index_select"
)
"""Methods that move elements and compute none: the cast may as well come after them."""
_INNER = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.Lambda)


@dataclass(frozen=True, eq=False)
class Bound:
    """A statement that binds a name to a cast value. `twin` is the name of that value before the cast, where it needs
    one of its own; `value` is what that is bound to.
    """

    block: Block
    index: int
    value: ast.expr
    twin: str | None

    @property
    def statement(self) -> ast.stmt:
        return self.block[self.index]


@dataclass(frozen=True, eq=False)
class Upcasts:
    """Of one function; `bound` are the statements that were seen through. `twins` are names once given, which several
    readings may share.
    """

    scope: Scope
    twins: dict[ast.stmt, str] = field(default_factory=dict[ast.stmt, str])
    bound: dict[ast.stmt, Bound] = field(default_factory=dict[ast.stmt, Bound])

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
        block, index = place
        known = self.bound.get(block[index])
        value: ast.expr | None = known.value if known is not None else getattr(block[index], "value", None)
        value = self.narrow(value) if value is not None and known is None else value
        if value is None or not self._lasts(node, block, index, value):
            return None
        if known is None:
            plain = dotted(value) is not None and not self._rebound(node, block, index, value)
            twin = None if plain else self._twin(node, block[index])
            known = self.bound[block[index]] = Bound(block, index, value, twin)
        if known.twin is not None:
            return ast.Name(known.twin, ast.Load())
        return value if not self._rebound(node, block, index, value) else None

    def _twin(self, node: ast.Name, statement: ast.stmt) -> str:
        if statement not in self.twins:
            self.twins[statement] = self.scope.names.fresh(f"{node.id}_narrow")
        return self.twins[statement]

    def _definition(self, node: ast.Name) -> tuple[Block, int] | None:
        """The assignment whose value this is, in the same list of statements or one around it."""
        place = self.scope.block_of(node)
        around = list(ancestors(self.scope, node))
        inner = around[: around.index(place[0][place[1]])] if place is not None else around
        if any(isinstance(item, (*_INNER, ast.NamedExpr)) for item in inner):
            return None
        while place is not None:
            block, index = place
            found = last_change(block, index, node.id)
            if found >= 0:
                alone = isinstance(block[found], (ast.Assign, ast.AnnAssign)) and bound_name(block[found]) == node.id
                return (block, found) if alone else None
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


def unread(scope: Scope, bound: list[Bound], gone: set[ast.AST]) -> set[ast.stmt]:
    """The statements whose value nobody reads any more, once the nodes of `gone` are; the last comes first."""
    removed: set[ast.stmt] = set()
    deleted = {node.id for node in own_nodes(scope.function) if _deletes(node)}
    for item in sorted(bound, key=lambda item: item.statement.lineno, reverse=True):
        name = bound_name(item.statement)
        reads = later_loads(scope, item.block, item.index, name) if name and name not in deleted else None
        if reads is not None and all(read in gone for read in reads):
            removed.add(item.statement)
            gone |= set(ast.walk(item.statement))
    return removed


def _deletes(node: ast.AST) -> TypeGuard[ast.Name]:
    return isinstance(node, ast.Name) and isinstance(node.ctx, ast.Del)
