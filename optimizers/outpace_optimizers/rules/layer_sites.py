"""Where a function normalises rows by mean and variance, and which statements nobody needs once one call does it."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .flow import changed, mutates, names_in, unneeded
from .layer_values import Layer, LayerReader, LayerValue, Mean
from .names import own_nodes
from .norm_sites import bound_name
from .norm_values import Kind, Known, Rows
from .scope import Block, Scope


@dataclass(frozen=True, eq=False)
class LayerSite:
    """`node` has the normalised rows; the statements `removed` led there and do nothing else."""

    statement: ast.stmt
    node: ast.expr
    layer: Layer
    removed: frozenset[ast.stmt]


def layer_sites(scope: Scope) -> Iterator[LayerSite]:
    reader = LayerReader(scope)
    for block in scope.blocks():
        yield from _Walk(scope, reader, block).sites()


class _Walk:
    """One statement list, read from its top."""

    def __init__(self, scope: Scope, reader: LayerReader, block: Block) -> None:
        self.scope = scope
        self.reader = reader
        self.block = block
        self.values: dict[str, LayerValue] = {}
        self.versions: list[dict[str, int]] = [{}]
        """Before each statement: how often each name has been bound in the block."""
        self.bound: dict[str, int] = {}
        """The statement that gave a name its value."""
        self.leads: list[frozenset[int]] = []
        """Of each statement: those whose values it is made of, and theirs."""
        self.light: set[int] = set()
        """Statements that bind rows, a dtype or a mean: cheap to keep where somebody else reads them."""

    def sites(self) -> Iterator[LayerSite]:
        found: dict[ast.stmt, LayerSite] = {}
        for index, statement in enumerate(self.block):
            known = Known[LayerValue](dict(self.values), self.versions[index])
            self.leads.append(self._led_by(getattr(statement, "value", None)))
            for node, layer in self._largest(statement, known):
                site = self._site(index, node, layer)
                if site is not None:
                    for earlier in site.removed & found.keys():
                        del found[earlier]
                    found[statement] = site
            self._bind(index, statement, known)
        yield from found.values()

    def _led_by(self, node: ast.AST | None) -> frozenset[int]:
        names = names_in(node) if node is not None else set[str]()
        direct = {self.bound[name] for name in names if name in self.bound}
        return frozenset(direct).union(*(self.leads[index] for index in direct))

    def _largest(self, statement: ast.stmt, known: Known[LayerValue]) -> Iterator[tuple[ast.expr, Layer]]:
        """The largest expressions of a simple statement that are normalised rows."""
        if not isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Expr)):
            return
        inside: set[ast.AST] = set()
        for node in own_nodes(statement):
            value = self.reader.value(node, known) if isinstance(node, ast.expr) and node not in inside else None
            if isinstance(node, ast.expr) and isinstance(value, Layer) and not isinstance(node, ast.Name):
                inside.update(ast.walk(node))
                yield node, value

    def _bind(self, index: int, statement: ast.stmt, known: Known[LayerValue]) -> None:
        after = dict(self.versions[index])
        for name in changed(statement):
            after[name] = after.get(name, 0) + 1
            self.values.pop(name, None)
            self.bound.pop(name, None)
        self.versions.append(after)
        given = self._given(statement, known)
        for name, value in given.items():
            self.values[name], self.bound[name] = value, index
        if all(isinstance(value, (Rows, Kind, Mean)) for value in given.values()):
            self.light.add(index)

    def _given(self, statement: ast.stmt, known: Known[LayerValue]) -> dict[str, LayerValue]:
        expression: ast.expr | None = getattr(statement, "value", None)
        name = bound_name(statement)
        if name and expression is not None:
            value = self.reader.value(expression, known)
            return {name: value} if value is not None else {}
        match statement:
            case ast.Assign(targets=[ast.Tuple(elts=[ast.Name(id=first), ast.Name(id=second)])], value=both):
                pair = self.reader.pair(both, known)
                return {first: pair[0], second: pair[1]} if pair is not None and first != second else {}
            case _:
                return {}

    def _site(self, index: int, node: ast.expr, layer: Layer) -> LayerSite | None:
        chain = sorted(self._led_by(node))
        removed = unneeded(self.scope, self.block, chain, node)
        kept = [place for place in chain if self.block[place] not in removed]
        if not all(place in self.light for place in kept) or not self._same_operands(layer, [*chain, index]):
            return None
        between = range(chain[0], index) if chain else range(0)
        there = self.versions[index].get(layer.rows.name, 0) == layer.rows.version
        if there and any(mutates(self.block[place]) for place in between):
            return None
        if not there and any(self.block[place] not in removed for place in between):
            return None
        return LayerSite(self.block[index], node, layer, removed)

    def _same_operands(self, layer: Layer, places: list[int]) -> bool:
        """Whether gain, bias and eps are at the last of the places what they were where they are written."""
        last = self.versions[places[-1]]
        for operand in (layer.weight, layer.bias, layer.eps):
            for place in places if operand is not None else ():
                written = any(item is operand for item in ast.walk(self.block[place]))
                names = names_in(operand) if operand is not None else set[str]()
                if written and any(self.versions[place].get(name, 0) != last.get(name, 0) for name in names):
                    return False
        return True
