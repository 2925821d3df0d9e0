"""Expressions that a rule of algebra writes anew, and the ideas that come of them."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Patch

from .names import own_nodes
from .reductions import alone
from .scope import Scope
from .spread import Spread
from .writing import Edit, make_patch


@dataclass(frozen=True)
class Site:
    """`spread.node`, and what may stand in place of it."""

    spread: Spread
    texts: tuple[str, ...]
    """Products, each by itself, the more exact first."""
    title: str
    tight: bool
    """Whether the texts bind as tightly as a call."""
    before: tuple[str, ...] = ()
    """Statements that the texts need."""

    @property
    def scope(self) -> Scope:
        return self.spread.scope

    def patches(self, code: Code) -> Iterator[Patch]:
        scope, node = self.scope, self.spread.node
        for text in self.texts:
            edit = Edit(imports=list(self.spread.imports))
            bare = self.tight or alone(scope, node) or _is_term(scope.parents.get(node))
            edit.expression(scope.source, node, text if bare else f"({text})")
            self.spread.write(edit)
            place = scope.block_of(node)
            if self.before and place is not None:
                edit.before(scope.source, place[0][place[1]], self.before)
            patch = make_patch(scope.source, code, scope.definition, edit)
            if patch is not None:
                yield patch


def _is_term(parent: ast.AST | None) -> bool:
    return isinstance(parent, ast.BinOp) and isinstance(parent.op, (ast.Add, ast.Sub))


def algebra_sites(scope: Scope, read: Callable[[ast.expr], Site | None]) -> list[Site]:
    """The largest expressions that `read` knows, those left out that another one takes in."""
    found: list[Site] = []
    inside: set[ast.AST] = set()
    for node in own_nodes(scope.function):
        if not isinstance(node, ast.expr) or isinstance(node, ast.Name) or node in inside:
            continue
        site = read(node)
        if (
            site is not None
            and site.spread.holds()
            and not site.spread.scope.of_numpy(site.spread.node, *site.spread.operands)
        ):
            found.append(site)
            inside.update(ast.walk(node))
    gone = {item for site in found for statement in site.spread.removed for item in ast.walk(statement)}
    return [site for site in found if site.spread.node not in gone]
