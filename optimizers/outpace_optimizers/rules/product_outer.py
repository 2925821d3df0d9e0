"""Products of matrices over a dimension of one: each element is one product, and no sum."""

from __future__ import annotations

import ast

from .algebra_sites import Site
from .attention_ops import CASTS, integer, product, wrapped
from .ranks import Ranks
from .spread import Spread

_SIZED = frozenset({".expand", ".view", ".reshape"})


def outer(node: ast.expr, ranks: Ranks) -> Site | None:
    """`(b, n, 1) @ (b, 1, m)` is `*`: one factor shows its one, and the other has to have it too."""
    spread = Spread(ranks.scope, node)
    made = product(ranks.scope, node)
    if made is None or made.order or (made.left_text, made.right_text) != (
        wrapped(ranks.scope, made.left), wrapped(ranks.scope, made.right),
    ):  # fmt: skip
        return None
    left, right = _places(spread, made.left, ranks), _places(spread, made.right, ranks)
    if min(len(left), len(right)) < 2 or not (left[-1] or right[-2]):
        return None
    spread.operands += [made.left, made.right]
    return Site(spread, (f"{made.left_text} * {made.right_text}",), "an outer product by elements", False)


def _places(spread: Spread, node: ast.expr, ranks: Ranks) -> tuple[bool, ...]:
    """Of the last dimensions that a tensor has for certain: whether their size is 1 for certain."""
    node = spread.value(node)
    if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Tuple):
        return _indexed(node.slice.elts, spread.scope.of_numpy(node))
    call = spread.scope.names.call(node)
    if call is None or not call[1]:
        return ()
    name, (of, *rest), keywords = call
    if name in CASTS:
        return _places(spread, of, ranks)
    if name in _SIZED and not keywords and len(rest) > 1:
        return tuple(integer(size) == 1 for size in rest)
    if name in (".unsqueeze", "torch.unsqueeze") and [integer(size) for size in rest] == [-1]:
        inner = _places(spread, of, ranks) or (False,) * (ranks.of(of) or 0)
        return (*inner, True) if inner else ()  # of no dimension it would be a vector
    return ()


def _indexed(entries: list[ast.expr], numpy: bool) -> tuple[bool, ...]:
    """`[:, None, :]`: how many are there for certain: a tensor with more dimensions has others last."""
    plain = all(isinstance(item, ast.Slice) or _is_none(item) for item in entries)
    return (False,) * len(entries) if plain and not numpy else ()


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None
