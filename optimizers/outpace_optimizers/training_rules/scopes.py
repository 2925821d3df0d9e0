"""The code of a script by scope: its top level and each function, with what lies around a node."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise

from outpace_optimizers.rules.names import Names, own_nodes
from outpace_optimizers.source import FunctionNode, Source

TOP_LEVEL = ast.FunctionDef("", ast.arguments([], [], None, [], [], None, []), [], [])
"""Stands for the top level where names are resolved: nothing is bound there but what the file imports."""
_LOOPS = (ast.For, ast.While)


@dataclass(frozen=True, eq=False)
class Scope:
    """`owner` is the class of a method."""

    node: ast.Module | FunctionNode
    names: Names
    owner: ast.ClassDef | None = None
    enclosing: tuple[FunctionNode, ...] = field(default=())

    @cached_property
    def nodes(self) -> list[ast.AST]:
        """In document order, nested functions and classes not entered."""
        return list(own_nodes(self.node))

    @cached_property
    def parents(self) -> dict[ast.AST, ast.AST]:
        inner = (node for node in self.nodes if not isinstance(node, (FunctionNode, ast.ClassDef, ast.Lambda)))
        return {child: node for node in (self.node, *inner) for child in ast.iter_child_nodes(node)}

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What the node lies in, the nearest first, without the scope's own node."""
        while (node := self.parents.get(node, self.node)) is not self.node:
            yield node

    def statement(self, node: ast.AST) -> ast.stmt:
        """The innermost one."""
        return next(one for one in (node, *self.around(node)) if isinstance(one, ast.stmt))

    def loop(self, node: ast.AST) -> ast.For | ast.While | None:
        """The innermost one whose body has the node."""
        path = [node, *self.around(node)]
        inner = (outer for one, outer in pairwise(path) if _in_body(one, outer))
        return next(inner, None)  # pyright: ignore[reportReturnType]

    def outermost_loop(self, node: ast.AST) -> ast.For | ast.While | None:
        found = self.loop(node)
        while found is not None and (outer := self.loop(found)) is not None:
            found = outer
        return found

    def block(self, statement: ast.stmt) -> list[ast.stmt]:
        """The statements among which this one stands."""
        parent = self.parents[statement]
        blocks = (getattr(parent, name, None) for name in ("body", "orelse", "finalbody"))
        return next(block for block in blocks if isinstance(block, list) and statement in block)  # pyright: ignore[reportUnknownVariableType]

    def loads(self, name: str) -> list[ast.Name]:
        return [n for n in self.nodes if isinstance(n, ast.Name) and n.id == name and isinstance(n.ctx, ast.Load)]

    def stores(self, name: str) -> list[ast.Name]:
        return [n for n in self.nodes if isinstance(n, ast.Name) and n.id == name and not isinstance(n.ctx, ast.Load)]

    def calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))


def _in_body(node: ast.AST, outer: ast.AST) -> bool:
    return isinstance(outer, _LOOPS) and node in outer.body


def scopes(source: Source) -> list[Scope]:
    """The top level first."""
    return [Scope(source.tree, Names(source, TOP_LEVEL)), *_below(source, source.tree, None, ())]


def _below(
    source: Source, node: ast.AST, owner: ast.ClassDef | None, enclosing: tuple[FunctionNode, ...]
) -> Iterator[Scope]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            yield from _below(source, child, child, enclosing)
        elif isinstance(child, FunctionNode):
            yield Scope(child, Names(source, child, enclosing), owner, enclosing)
            yield from _below(source, child, None, (*enclosing, child))
        else:
            yield from _below(source, child, owner, enclosing)


def names_in(node: ast.AST) -> set[str]:
    """Names that are read or set anywhere below."""
    return {child.id for child in ast.walk(node) if isinstance(child, ast.Name)}
