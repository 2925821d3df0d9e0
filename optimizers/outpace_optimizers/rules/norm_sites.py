"""Where a function normalises rows: the statements that an RMSNorm is written in, and what they come to."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .flow import changed, live_after, names_in, root
from .names import own_nodes
from .norm_values import Known, Norm, Reader, Value
from .scope import Block, Scope


@dataclass(frozen=True, eq=False)
class Site:
    """The last of `statements` has `node`, the normalised rows; those before it lead there and do nothing else."""

    statements: tuple[ast.stmt, ...]
    node: ast.expr
    norm: Norm

    @property
    def whole(self) -> bool:
        """Whether the statement is nothing but the result's assignment or return."""
        return getattr(self.statements[-1], "value", None) is self.node


def sites(scope: Scope, reader: Reader) -> Iterator[Site]:
    for block in scope.blocks():
        yield from _Walk(scope, reader, block).sites()


class _Walk:
    """One statement list, read from its top."""

    def __init__(self, scope: Scope, reader: Reader, block: Block) -> None:
        self.scope = scope
        self.reader = reader
        self.block = block
        self.values: dict[str, Value] = {}
        self.starts: dict[str, int] = {}
        """Where the statements that led to a name's value begin."""
        self.versions: list[dict[str, int]] = [{}]
        """Before each statement: how often each name has been bound in the block."""
        self.pure: list[bool] = []

    def sites(self) -> Iterator[Site]:
        found: dict[int, Site] = {}
        for index, statement in enumerate(self.block):
            for site, start in self._read(index, statement):
                for earlier in [place for place in found if start <= place < index]:
                    del found[earlier]
                found[index] = site
        yield from found.values()

    def _read(self, index: int, statement: ast.stmt) -> list[tuple[Site, int]]:
        """The sites that end in this statement, and where they start; what it binds is taken over."""
        known = Known[Value](dict(self.values), self.versions[index])
        expression: ast.expr | None = getattr(statement, "value", None)
        result = bound_name(statement)
        value = self.reader.value(expression, known) if result is not None and expression is not None else None
        starts = dict(self.starts)
        start = _start(expression, index, starts) if expression is not None else index
        self._bind(index, statement, result, value, start)
        if expression is not None and isinstance(value, Norm):
            candidates = iter([(expression, value)])
        else:
            candidates = self._parts(statement, known)
        made: list[tuple[Site, int]] = []
        for node, norm in candidates:
            begin = _start(node, index, starts)
            site = Site(tuple(self.block[begin : index + 1]), node, norm)
            if self._holds(site, begin, index):
                made.append((site, begin))
        return made

    def _parts(self, statement: ast.stmt, known: Known[Value]) -> Iterator[tuple[ast.expr, Norm]]:
        """Largest expressions of a simple statement that are normalised rows by themselves."""
        if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)):
            return
        inside: set[ast.AST] = set()
        for node in own_nodes(statement):
            value = self.reader.value(node, known) if isinstance(node, ast.expr) and node not in inside else None
            if isinstance(node, ast.expr) and isinstance(value, Norm) and not isinstance(node, ast.Name):
                inside.update(ast.walk(node))
                yield node, value

    def _bind(self, index: int, statement: ast.stmt, result: str | None, value: Value | None, start: int) -> None:
        after = dict(self.versions[index])
        for name in changed(statement):
            after[name] = after.get(name, 0) + 1
            self.values.pop(name, None)
            self.starts.pop(name, None)
        self.versions.append(after)
        self.pure.append(value is not None and bool(result))
        if result and value is not None:
            self.values[result], self.starts[result] = value, start

    def _holds(self, site: Site, begin: int, index: int) -> bool:
        """Whether the rows, gain and eps can be named before the first statement, and no other result is missed."""
        rows, before = site.norm.rows, self.versions[begin]
        if before.get(rows.name, 0) != rows.version or not all(self.pure[begin:index]):
            return False
        needed = {root(node) for node in (site.norm.weight, site.norm.eps) if isinstance(node, ast.expr)}
        if any(before.get(name or "", 0) != self.versions[index].get(name or "", 0) for name in needed):
            return False
        last = self.block[index]
        if not site.whole:
            return begin == index
        if isinstance(last, ast.Return):
            return True
        bound = {bound_name(item) for item in self.block[begin:index]} - {bound_name(last)}
        return not any(live_after(self.scope, last, name) for name in bound if name)


def _start(node: ast.expr, index: int, starts: Mapping[str, int]) -> int:
    return min([index, *(starts[name] for name in names_in(node) if name in starts)])


def bound_name(statement: ast.stmt) -> str | None:
    """The one name that the statement binds; empty for `return`; None where it does anything else."""
    if isinstance(statement, ast.Return):
        return ""
    targets = statement.targets if isinstance(statement, ast.Assign) else []
    if isinstance(statement, ast.AnnAssign):
        targets = [statement.target]
    if len(targets) == 1 and isinstance(targets[0], ast.Name):
        return targets[0].id
    return None
