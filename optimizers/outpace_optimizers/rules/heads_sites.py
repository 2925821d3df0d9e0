"""Where a function normalises heads and then turns them: the statements that this takes, and what may come between."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .flow import changed, live_after, names_in
from .heads_reader import HeadsReader, bind
from .heads_values import ROWS, Size, Terms, Turned, Value
from .names import own_nodes
from .norm_sites import sites
from .norm_values import Norm, Reader
from .scope import Block, Scope

_DEPTH = 3


@dataclass(frozen=True, eq=False)
class Site:
    """`turns` are the last statements, one after the other; `moved` come somewhere before them and lead there alone.

    `targets`: each name that heads are left in, or empty for `return`, with what it holds.
    """

    moved: tuple[ast.stmt, ...]
    turns: tuple[ast.stmt, ...]
    targets: tuple[tuple[str, Turned], ...]


def turned_sites(scope: Scope) -> Iterator[Site]:
    norms = {id(site.node): (site.norm, site.statements) for site in sites(scope, Reader(scope))}
    for block in scope.blocks():
        yield from _Walk(scope, block, norms).sites()


class _Walk:
    def __init__(self, scope: Scope, block: Block, norms: dict[int, tuple[Norm, tuple[ast.stmt, ...]]]) -> None:
        self.scope = scope
        self.block = block
        self.steps = {id(item): node for node, (_, items) in norms.items() for item in items[:-1]}
        """Statements that lead to a norm, by its node."""
        self.before = {node: items[:-1] for node, (_, items) in norms.items()}
        self.known: dict[str, Value] = {}
        self.reader = HeadsReader(scope, self.known, {node: norm for node, (norm, _) in norms.items()}, True, _DEPTH)
        self.leads: dict[str, set[int]] = {}
        """The statements that a known name's value comes from."""

    def sites(self) -> Iterator[Site]:
        place = 0
        while place < len(self.block):
            turns, targets, needed = list[ast.stmt](), list[tuple[str, Turned]](), set[int]()
            while place < len(self.block):
                found = self._turned(place)
                if found is None:
                    break
                turns.append(self.block[place])
                targets += found[0]
                needed |= found[1]
                place += 1
                if isinstance(turns[-1], ast.Return):
                    break
            if turns:
                site = self._site(place - len(turns), turns, targets, needed)
                if site is not None:
                    yield site
            elif place < len(self.block):
                self._take(place)
                place += 1

    def _turned(self, place: int) -> tuple[list[tuple[str, Turned]], set[int]] | None:
        """The names that the statement binds to turned heads, and the statements that this needs."""
        statement = self.block[place]
        node = statement.value if isinstance(statement, (ast.Assign, ast.Return)) else None
        value = self.reader.value(node) if node is not None else None
        values = value if isinstance(value, tuple) else (value,)
        names = [""] * len(values) if isinstance(statement, ast.Return) else _names(statement)
        if node is None or not values or len(names) != len(values):
            return None
        found = [(name, item) for name, item in zip(names, values, strict=True) if isinstance(item, Turned)]
        if len(found) != len(values):
            return None
        needed = self._needed(statement)
        self._forget(statement)
        return found, needed

    def _needed(self, statement: ast.stmt) -> set[int]:
        needed = set[int]().union(*(self.leads.get(name, set()) for name in names_in(statement)))
        for node in own_nodes(statement):
            needed |= {self.block.index(item) for item in self.before.get(id(node), ()) if item in self.block}
        return needed

    def _take(self, place: int) -> None:
        statement = self.block[place]
        if id(statement) in self.steps:
            self._forget(statement)
            return
        needed = self._needed(statement) | {place}
        value = self.reader.value(statement.value) if isinstance(statement, ast.Assign) else None
        self._forget(statement)
        values = value if isinstance(value, tuple) else (value,)
        ours = any(isinstance(item, (Terms, Turned, Size)) for item in values)
        target = _target(statement)
        if ours and target is not None and bind(target, value, self.known):
            self.leads |= dict.fromkeys(_names(statement), needed)

    def _forget(self, statement: ast.stmt) -> None:
        for name in changed(statement):
            self.known.pop(name, None)
            self.leads.pop(name, None)

    def _site(
        self, first: int, turns: list[ast.stmt], targets: list[tuple[str, Turned]], needed: set[int]
    ) -> Site | None:
        moved = [self.block[index] for index in sorted(needed)]
        if any(value.wide and not value.cast for _, value in targets):
            return None
        bound = set[str]().union(*map(changed, moved)) if moved else set[str]()
        names = {name for name, _ in targets}
        last = turns[-1]
        if not isinstance(last, ast.Return) and any(live_after(self.scope, last, name) for name in bound - names):
            return None
        start = min(needed, default=first)
        between = [item for item in self.block[start:first] if item not in moved]
        plain = all(self._may_come_first(item, moved) for item in between)
        return Site(tuple(moved), tuple(turns), tuple(targets)) if plain and self._separate(turns, targets) else None

    def _may_come_first(self, other: ast.stmt, moved: list[ast.stmt]) -> bool:
        """Whether the statement does the same where those that are moved behind it have not run."""
        after = [item for item in moved if item.lineno < other.lineno]
        bound = set[str]().union(*map(changed, after)) if after else set[str]()
        read = set[str]().union(*map(names_in, after)) if after else set[str]()
        return not bound & names_in(other) and not changed(other) & read and not isinstance(other, ast.Return)

    def _separate(self, turns: list[ast.stmt], targets: list[tuple[str, Turned]]) -> bool:
        """Whether no turn reads what another has bound: then all may be computed before any is bound."""
        bound = set[str]()
        for statement in turns:
            if bound & names_in(statement):
                return False
            bound |= set(_names(statement))
        names = [name for name, _ in targets if name]
        return len(names) == len(set(names)) and all(_is_said(value, bound) for _, value in targets)


def _is_said(value: Turned, bound: set[str]) -> bool:
    """Whether tables, gain and eps are not what the turns themselves bind."""
    texts = [value.cos, value.sin, value.heads.weight or "None", value.heads.eps]
    return not any(names_in(ast.parse(text.replace(ROWS, "rows"))) & bound for text in texts)


def _target(statement: ast.stmt) -> ast.expr | None:
    return statement.targets[0] if isinstance(statement, ast.Assign) and len(statement.targets) == 1 else None


def _names(statement: ast.stmt) -> list[str]:
    """The names that an assignment binds; none where it binds anything else."""
    target = _target(statement)
    if target is None:
        return []
    elements = target.elts if isinstance(target, ast.Tuple) else [target]
    names = [item.id for item in elements if isinstance(item, ast.Name)]
    return names if len(names) == len(elements) else []
