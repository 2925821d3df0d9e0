"""What the names in a loop over experts hold: which rows, which expert's weights, and what is the same for all."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field

from outpace_optimizers.source import Source

from .scope import Scope


@dataclass(frozen=True, slots=True)
class Fixed:
    """The same for every expert: a number, a dtype, a tensor from outside the loop."""


@dataclass(frozen=True, slots=True)
class Expert:
    """The loop's variable."""


@dataclass(frozen=True, slots=True)
class Places:
    """Where the expert was chosen: as many index tensors as the choices have dimensions."""


@dataclass(frozen=True, slots=True)
class Place:
    """One of them. `alone`: the only one there is."""

    dim: int
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """A tensor with one row for each choice of the expert, computed row by row. `lead`: below one more dimension of 1.
    `narrow`: the text of what it was before it was cast to fp32.
    """

    lead: bool = False
    narrow: str | None = None


@dataclass(frozen=True, slots=True)
class Parts:
    """Several of them, cut along the last dimension."""


@dataclass(frozen=True, slots=True)
class Weight:
    """One expert's matrix or vector, out of `text`, which has those of all. `upcast`: cast to fp32."""

    text: str
    flipped: bool = False
    upcast: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """The layer `path` of one expert, as `made` in `scope`: one of the list that is called `layers`."""

    layers: str
    path: str
    made: ast.expr
    scope: Scope


Value = Fixed | Expert | Places | Place | Rows | Parts | Weight | Layer


@dataclass
class Written:
    """The text of nodes with parts of them replaced, and the statements that this needs before them."""

    source: Source
    pairs: str
    """The name of the sorted pairs."""
    texts: dict[int, str] = field(default_factory=dict[int, str])
    stacks: dict[str, str] = field(default_factory=dict[str, str])
    """Layers' weights as one tensor: name by text."""
    products: int = 0
    """How many were grouped."""
    upcasts: int = 0
    """How many of them in fp32 for weights that are narrower."""
    spared: set[str] = field(default_factory=set[str])
    """Names of rows that were read before their cast instead."""
    before: list[str] = field(default_factory=list[str])
    """What an expert's own `forward` does before its result, in front of the statement at hand."""

    def put(self, node: ast.expr, text: str) -> None:
        self.texts[id(node)] = text

    def text(self, node: ast.expr | ast.stmt) -> str:
        """With its first line at the margin, and what was put in place of its parts."""
        if id(node) in self.texts:
            return self.texts[id(node)]
        start, end = self._offset(node)
        whole, at, pieces = "".join(self.source.lines), start, list[str]()
        for part in sorted(self._replaced(node), key=lambda item: self._offset(item)[0]):
            first, last = self._offset(part)
            pieces += [whole[at:first], self.texts[id(part)]]
            at = last
        return "".join([*pieces, whole[at:end]]).replace("\r\n", "\n").replace("\r", "\n")

    def _replaced(self, node: ast.AST) -> list[ast.expr]:
        """The outermost of the nodes below that something was put in place of."""
        found: list[ast.expr] = []
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr) and id(child) in self.texts:
                found.append(child)
            else:
                found += self._replaced(child)
        return found

    def _offset(self, node: ast.expr | ast.stmt) -> tuple[int, int]:
        (first, left), (last, right) = self.source.start(node), self.source.end(node)
        lines = self.source.lines
        return sum(map(len, lines[: first - 1])) + left, sum(map(len, lines[: last - 1])) + right
