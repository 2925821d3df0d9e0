"""Sums over a product of matrices, without the product: its trace, its diagonal, its rows or columns added up."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from .algebra_sites import Site
from .attention_ops import pick, wrapped
from .flow import number
from .product_chain import Pair, pair
from .ranks import Ranks, turned
from .reductions import Reduction, operation, reduction, scaled
from .scope import Scope
from .spread import Spread

_HOOK = "register_forward"


def traced(node: ast.expr, ranks: Ranks) -> Site | None:
    """`torch.trace(A @ B)` is `(A * B.T).sum()`, and `torch.diagonal(A @ B)` is `(A * B.T).sum(-1)`."""
    spread = Spread(ranks.scope, node)
    found = _diagonal_of(spread.scope, node)
    if found is None:
        return None
    word, of, batched = found
    made = pair(spread.scope, spread.take(of))
    if made is None or (word == "diag" and not _are_matrices(made, ranks)):
        return None
    flip = ".mT" if batched else ".T"
    left, right = turned(spread.scope, made.left), turned(spread.scope, made.right)
    if right is not None:
        parts = [spread.text(made.left), spread.text(right)]
        sides = [wrapped(spread.scope, made.left), wrapped(spread.scope, right)]
    elif left is not None and word == "trace":
        parts = [spread.text(left), spread.text(made.right)]
        sides = [wrapped(spread.scope, left), wrapped(spread.scope, made.right)]
    else:
        parts = [spread.text(made.left), spread.text(made.right)]
        sides = [wrapped(spread.scope, made.left), wrapped(spread.scope, made.right) + flip]
    text = f"({sides[0]} * {sides[1]}).sum({'' if word == 'trace' else '-1'})"
    return Site(spread, (text,), f"{word} of a product", bool(parts))


def _diagonal_of(scope: Scope, node: ast.expr) -> tuple[str, ast.expr, bool] | None:
    """(`trace`, `diagonal` or `diag`, what of, whether of the last two of more dimensions)."""
    found = operation(scope, node)
    if found is not None and found[0] in ("trace", "diagonal", "diag") and len(found[1]) == 1:
        return found[0], found[1][0], False
    call = scope.names.call(node)
    if call is None or call[0] not in (".diagonal", "torch.diagonal") or not call[1]:
        return None
    places = {number(pick(call[1], call[2], 2, "dim1")), number(pick(call[1], call[2], 3, "dim2"))}
    offset = pick(call[1], call[2], 1, "offset")
    plain = offset is None or number(offset) == 0
    return ("diagonal", call[1][0], True) if places == {-1, -2} and plain else None


def _are_matrices(made: Pair, ranks: Ranks) -> bool:
    return made.rank == 2 or ranks.of(made.left) == ranks.of(made.right) == 2


def summed(node: ast.expr, ranks: Ranks) -> Site | None:
    """`(A @ B).sum(-1)` is `A @ B.sum(-1)`, `(A @ B).sum(0)` is `A.sum(0) @ B`, and `mean` is the same."""
    spread = Spread(ranks.scope, node)
    for word in ("sum", "mean"):
        over = reduction(spread.scope, node, word)
        if over is None or over.keywords or (over.dims is not None and len(over.dims) != 1):
            continue
        inner, suffix = scaled(spread, over.of)
        made = spread.take(inner)
        product = pair(spread.scope, made)
        if product is not None and not product.vector:
            texts = list(_of_product(spread, product, over, word, ranks))
        else:
            texts = list(_of_layer(spread, made, over, word, ranks))
        if texts:
            whole = tuple(f"({text}){suffix}" if suffix and " @ " in text else text + suffix for text in texts)
            tight = not suffix and not any(" @ " in text or " * " in text for text in whole)
            return Site(spread, whole, f"{word} before the product", tight)
    return None


def _of_product(spread: Spread, made: Pair, over: Reduction, word: str, ranks: Ranks) -> Iterator[str]:
    left, right = wrapped(spread.scope, made.left), wrapped(spread.scope, made.right)
    spread.operands += [made.left, made.right]
    one, two = ranks.of(made.left), ranks.of(made.right)
    if 1 in (one, two):
        return
    if over.dims is None:
        if word == "sum":
            yield f"({left}.sum(-2) * {right}.sum(-1)).sum()"
        return
    size = made.rank or (max(one, two) if one is not None and two is not None else None)
    for dim in _from_the_end(over.dims[0], size):
        if dim == -1:
            kept = f"{left} @ {right}.{word}(-1, keepdim=True)"
            yield kept if over.keepdim else f"{left} @ {right}.{word}(-1)" if size == 2 else f"({kept}).squeeze(-1)"
        elif two == 2 or made.rank == 2:
            yield f"{left}.{word}({dim}{', keepdim=True' if over.keepdim else ''}) @ {right}"
        elif dim == -2:
            kept = f"{left}.{word}(-2, keepdim=True) @ {right}"
            yield kept if over.keepdim else f"({kept}).squeeze(-2)"


def _from_the_end(dim: int, size: int | None) -> tuple[int, ...]:
    """The dimension counted from the end; both readings of 1 where nothing says how many there are."""
    if dim < 0:
        return (dim,)
    if size is not None:
        return (dim - size,) if dim < size else ()
    return {0: (-2,), 1: (-1, -2), 2: (-1,)}.get(dim, ())


def _of_layer(spread: Spread, node: ast.expr, over: Reduction, word: str, ranks: Ranks) -> Iterator[str]:
    """The same for an `nn.Linear`: rows first, then features."""
    scope = spread.scope
    if not isinstance(node, ast.Call) or len(node.args) != 1 or node.keywords or over.dims is None:
        return
    layer = scope.module(node.func) if scope.attribute(node.func) is not None else None
    if layer is None or layer[0] != "torch.nn.Linear" or _HOOK in scope.source.text:
        return
    bias = _has_bias(layer[1])
    rows = node.args[0]
    size, dim = ranks.of(rows), over.dims[0]
    spread.operands.append(rows)
    for place in sorted(_from_the_end(dim, size)):
        if place < -1:
            yield from _of_rows(scope, node, dim, over.keepdim, word, bias)
        elif bias is not None:
            yield _of_features(spread, node, over.keepdim, word, bias)


def _has_bias(made: ast.Call) -> bool | None:
    """None where it depends."""
    keys = {key.arg: key.value for key in made.keywords}
    given = pick(made.args, {key: value for key, value in keys.items() if key is not None}, 2, "bias")
    if given is None:
        return None if None in keys else True
    return given.value if isinstance(given, ast.Constant) and isinstance(given.value, bool) else None


def _of_rows(scope: Scope, node: ast.Call, dim: int, keep: bool, word: str, bias: bool | None) -> Iterator[str]:
    layer, rows = scope.text(node.func), wrapped(scope, node.args[0])
    kept = ", keepdim=True" if keep else ""
    if word == "mean" or bias is False:
        yield f"{layer}({rows}.{word}({dim}{kept}))"
    elif isinstance(node.args[0], ast.Name):
        yield f"{layer}({rows}.mean({dim}{kept})) * {rows}.shape[{dim}]"


def _of_features(spread: Spread, node: ast.Call, keep: bool, word: str, bias: bool) -> str:
    layer, rows = spread.scope.text(node.func), spread.scope.text(node.args[0])
    arguments = [rows, f"{layer}.weight.{word}(0, keepdim=True)"]
    arguments += [f"{layer}.bias.{word}(0, keepdim=True)"] if bias else []
    text = f"{spread.spell('torch.nn.functional.linear')}({', '.join(arguments)})"
    return text if keep else f"{text}.squeeze(-1)"
