"""Matrix products of several factors, in every spelling, over statements too."""

from __future__ import annotations

import ast
from dataclasses import dataclass

from .attention_ops import is_own, pick
from .reductions import factor, scaled
from .scope import Scope
from .spread import Spread

_MATMULS = frozenset({"matmul", "mm", "bmm", "mv"})


@dataclass(frozen=True)
class Pair:
    left: ast.expr
    right: ast.expr
    rank: int | None = None
    """Of both and of what comes out, where the call allows but one."""
    vector: bool = False
    """Whether the right one has one dimension for certain."""


def pair(scope: Scope, node: ast.expr) -> Pair | None:
    """`a @ b`, `torch.mm(a, b)`, `a.matmul(b)`."""
    if isinstance(node, ast.BinOp):
        return Pair(node.left, node.right) if isinstance(node.op, ast.MatMult) else None
    call = scope.names.call(node)
    if call is None or is_own(scope, node):
        return None
    name, args, keys = call
    word = name.rpartition(".")[2]
    if (
        name not in (f"torch.{word}", f".{word}")
        or word not in _MATMULS
        or set(keys) - {"input", "other", "mat2", "vec"}
    ):
        return None
    left, right = pick(args, keys, 0, "input"), pick(args, keys, 1, "other", "mat2", "vec")
    if left is None or right is None or len(args) + len(keys) != 2:
        return None
    return Pair(left, right, {"mm": 2, "bmm": 3}.get(word), word == "mv")


@dataclass(frozen=True)
class Chain:
    """A product of two factors or more; `suffix` is what is left to do with it, such as ` / 2`."""

    factors: tuple[ast.expr, ...]
    suffix: str
    left_first: bool
    """Whether it is taken from the left throughout."""
    right_first: bool
    flat: bool
    """Whether all factors have two dimensions for certain."""
    vector: bool
    """Whether the last one has one dimension for certain."""


def chain(spread: Spread, node: ast.expr) -> Chain | None:
    """Takes the names that lead there."""
    found = _tree(spread, node)
    if not isinstance(found, _Tree):
        return None
    factors: list[ast.expr] = []
    pairs: list[Pair] = []
    suffixes: list[str] = []
    _collect(found, factors, pairs, suffixes)
    lefts, rights = _spine(found, left=True), _spine(found, left=False)
    return Chain(
        tuple(factors),
        "".join(suffixes),
        lefts == len(factors),
        rights == len(factors),
        all(item.rank == 2 for item in pairs),
        pairs[0].vector,
    )


@dataclass(frozen=True)
class _Tree:
    pair: Pair
    left: _Tree | ast.expr
    right: _Tree | ast.expr
    suffix: str


def _tree(spread: Spread, node: ast.expr) -> _Tree | ast.expr:
    if _beneath(spread, node) is None:
        return node
    inner, suffix = scaled(spread, node)
    made = pair(spread.scope, spread.take(inner))
    assert made is not None
    return _Tree(made, _tree(spread, made.left), _tree(spread, made.right), suffix)


def _beneath(spread: Spread, node: ast.expr) -> Pair | None:
    """The product under names and numbers, nothing taken."""
    node = spread.value(node)
    while (found := factor(spread.scope, node)) is not None:
        node = spread.value(found[0])
    return pair(spread.scope, node)


def _collect(tree: _Tree, factors: list[ast.expr], pairs: list[Pair], suffixes: list[str]) -> None:
    pairs.append(tree.pair)
    for side in (tree.left, tree.right):
        if isinstance(side, _Tree):
            _collect(side, factors, pairs, suffixes)
        else:
            factors.append(side)
    suffixes.append(tree.suffix)


def _spine(tree: _Tree | ast.expr, left: bool) -> int:
    """Factors along the left or right side alone."""
    if not isinstance(tree, _Tree):
        return 1
    return 1 + _spine(tree.left if left else tree.right, left)
