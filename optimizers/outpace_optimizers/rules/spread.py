"""An expression that is spread over statements: a name that is read once stands for what it was bound to."""

from __future__ import annotations

import ast
from collections.abc import Sequence
from dataclasses import dataclass, field

from .flow import changes, last_change, later_loads, names_in
from .names import own_nodes
from .norm_sites import bound_name
from .pure_ops import PURE
from .scope import Block, Scope
from .writing import Edit

_SIMPLE = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)
_DEFERRED = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp, ast.IfExp, ast.BoolOp)


@dataclass
class Spread:
    """What is read for an edit of `node`. Nothing is gone before it is taken: `value` looks, `take` takes."""

    scope: Scope
    node: ast.expr
    removed: list[ast.stmt] = field(default_factory=list[ast.stmt])
    operands: list[ast.expr] = field(default_factory=list[ast.expr])
    """What the new text has of the old one."""
    imports: list[str] = field(default_factory=list[str])
    rewritten: dict[ast.expr, str] = field(default_factory=dict[ast.expr, str])
    """Expressions elsewhere, and what stands there then."""

    def value(self, node: ast.expr, *others: ast.expr) -> ast.expr:
        """What the name was bound to, and so on, or else the expression; `others` are further reads of the name."""
        chain = self._chain(node, others)
        return chain[-1][1] if chain else node

    def take(self, node: ast.expr, *others: ast.expr) -> ast.expr:
        """The same, and the bindings go."""
        chain = self._chain(node, others)
        self.removed += [statement for statement, _ in chain if statement not in self.removed]
        return chain[-1][1] if chain else node

    def text(self, node: ast.expr) -> str:
        """An operand as it is written, for the new text."""
        self.operands.append(node)
        return self.scope.text(node)

    def spell(self, full: str) -> str:
        """`torch.cdist` by the name that the file has for it."""
        spelling, needed = self.scope.names.spell(full)
        self.imports += [needed] if needed else []
        return spelling

    def holds(self) -> bool:
        """Whether the operands mean at `node` what they mean where they are written."""
        place = self.scope.block_of(self.node)
        return place is not None and all(self._same(operand, *place) for operand in self.operands)

    def write(self, edit: Edit) -> None:
        """All but the node itself: takes out the statements that are no more needed."""
        for statement in self.removed:
            edit.replace(self.scope.source, statement, [])
        for node, text in self.rewritten.items():
            edit.expression(self.scope.source, node, text)

    def _chain(self, node: ast.expr, others: Sequence[ast.expr]) -> list[tuple[ast.stmt, ast.expr]]:
        found: list[tuple[ast.stmt, ast.expr]] = []
        while isinstance(node, ast.Name):
            step = _binding(self.scope, node, others)
            if step is None:
                return found
            found.append(step)
            node, others = step[1], ()
        return found

    def _same(self, operand: ast.expr, block: Block, index: int) -> bool:
        own = self.scope.block_of(operand)
        if own is None or own[0] is not block:
            return False
        start, gone = own[1], frozenset(self.removed)
        if start == index:
            return True
        between = [item for item in block[start + 1 : index] if item not in gone]
        if between and (any(_mutates(item) for item in between) or not _pure(self.scope, operand)):
            return False
        return all(last_change(block, index, name, gone) < start for name in names_in(operand))


def _binding(scope: Scope, node: ast.Name, others: Sequence[ast.expr]) -> tuple[ast.stmt, ast.expr] | None:
    """The statement that binds the name for this read of it and `others` alone, and the value."""
    place = scope.block_of(node)
    if place is None or not isinstance(place[0][place[1]], _SIMPLE) or _deferred(scope, node):
        return None
    block, index = place
    start = last_change(block, index, node.id)
    made = block[start] if start >= 0 else None
    value: ast.expr | None = getattr(made, "value", None)
    if made is None or value is None or bound_name(made) != node.id:
        return None
    reads = later_loads(scope, block, start, node.id)
    if reads is None or {id(read) for read in reads} != {id(node), *map(id, others)} or _kept(scope, node.id):
        return None
    return made, value


def _kept(scope: Scope, name: str) -> bool:
    """Whether the name has to be bound: somebody deletes it, or it is no local one."""
    for node in own_nodes(scope.function):
        if isinstance(node, (ast.Global, ast.Nonlocal)) and name in node.names:
            return True
        if isinstance(node, ast.Name) and node.id == name and isinstance(node.ctx, ast.Del):
            return True
    return False


def _deferred(scope: Scope, node: ast.AST) -> bool:
    """Whether it is read later than its statement runs, more than once, or not always."""
    parent = scope.parents.get(node)
    while parent is not None and not isinstance(parent, ast.stmt):
        if isinstance(parent, _DEFERRED):
            return True
        parent = scope.parents.get(parent)
    return False


def _mutates(statement: ast.stmt) -> bool:
    """Whether it may change a tensor that another name holds too: all but plain bindings of names."""
    if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.Expr, ast.Assert)):
        return True
    return any(not isinstance(node, ast.Name) and any(changes(node)) for node in ast.walk(statement))


def _pure(scope: Scope, node: ast.expr) -> bool:
    """Whether it may be computed later: no call but those that only compute."""
    calls = [scope.names.call(item) for item in ast.walk(node) if isinstance(item, ast.Call)]
    return all(call is not None and call[0] in PURE for call in calls)
