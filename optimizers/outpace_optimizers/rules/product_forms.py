"""Products of matrices that come cheaper: with a diagonal, with an inverse, or taken from their narrow end."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .algebra_sites import Site
from .attention_ops import integer, transposed, wrapped
from .broadcasts import Index, New, operand
from .flow import last_change, loads
from .names import own_nodes
from .norm_sites import bound_name
from .product_chain import Chain, chain
from .ranks import Ranks, turned
from .reductions import operation
from .scope import Scope
from .spread import Spread

_INVERSES = ("inverse", "torch.linalg.inv")


def diagonal(node: ast.expr, ranks: Ranks) -> Site | None:
    """`torch.diag(d) @ X` is `d[:, None] * X`, and `X @ torch.diag(d)` is `X * d`."""
    spread = Spread(ranks.scope, node)
    made = chain(spread, node)
    if made is None:
        return None
    vectors = [_diagonal(spread, item, made.factors, ranks) for item in made.factors]
    plain = [item for item, vector in zip(made.factors, vectors, strict=True) if vector is None]
    if not plain or len(plain) == len(vectors) or any(ranks.of(item) == 1 for item in plain):
        return None
    parts, before = list[str](), ""
    for item, vector in zip(made.factors, vectors, strict=True):
        if vector is None:
            spread.text(item)
            parts.append(before + wrapped(spread.scope, item))
            before = ""
        elif parts:
            parts[-1] += f" * {vector[1]}"
        else:
            before += f"{vector[0]} * "
    text = parts[0] if len(parts) == 1 else " @ ".join(f"({part})" if " * " in part else part for part in parts)
    text = f"({text})" if made.suffix and len(parts) > 1 else text
    return Site(spread, (text + made.suffix,), "scaled rows and columns", False)


def _diagonal(spread: Spread, node: ast.expr, factors: Sequence[ast.expr], ranks: Ranks) -> tuple[str, str] | None:
    """A diagonal matrix as what its right and its left neighbour is multiplied by."""
    made = spread.value(node)
    vector = _vector(ranks, made)
    if vector is not None:
        spread.take(node)
        spread.operands.append(vector)
        text = wrapped(spread.scope, vector)
    else:
        made = _shared(ranks, node, factors) if isinstance(node, ast.Name) else None
        vector = _vector(ranks, made) if made is not None else None
        if made is None or vector is None:
            return None
        spread.rewritten[made] = spread.scope.text(vector)
        text = spread.text(node)
    embeds = isinstance(made, ast.Call) and "embed" in ast.unparse(made.func)
    return (f"{text}.unsqueeze(-1)", f"{text}.unsqueeze(-2)") if embeds else (f"{text}[:, None]", text)


def _vector(ranks: Ranks, node: ast.expr) -> ast.expr | None:
    """d of `torch.diag(d)`, which takes the diagonal of a matrix out, and of `torch.diag_embed(d)`."""
    found = operation(ranks.scope, node)
    if found is None or found[0] not in ("diag", "diag_embed") or len(found[1]) != 1:
        return None
    return found[1][0] if found[0] == "diag_embed" or ranks.of(found[1][0]) in (1, None) else None


def _shared(ranks: Ranks, node: ast.Name, factors: Sequence[ast.expr]) -> ast.expr | None:
    """What a name was bound to that is read as a factor alone, more than once."""
    scope = ranks.scope
    place = scope.block_of(node)
    start = last_change(*place, node.id) if place is not None else -1
    if place is None or start < 0 or bound_name(place[0][start]) != node.id:
        return None
    value: ast.expr | None = getattr(place[0][start], "value", None)
    names = [item for item in own_nodes(scope.function) if isinstance(item, ast.Name) and item.id == node.id]
    once = sum(not isinstance(item.ctx, ast.Load) for item in names) == 1
    mine = {id(item) for item in factors}
    if value is None or not once or not all(id(read) in mine for read in loads(scope.function, node.id)):
        return None
    return value if _vector(ranks, value) is not None else None


def solved(node: ast.expr, ranks: Ranks) -> Site | None:
    """`torch.linalg.inv(A) @ b` is `torch.linalg.solve(A, b)`."""
    spread = Spread(ranks.scope, node)
    made = chain(spread, node)
    found = [place for place, item in enumerate(made.factors) if _inverted(spread, item)] if made is not None else []
    if made is None or len(found) != 1:
        return None
    place = found[0]
    of = _inverted(spread, made.factors[place])
    spread.take(made.factors[place])
    assert of is not None
    before, after = made.factors[:place], made.factors[place + 1 :]
    arguments = [spread.text(of), _joined(spread, after or before), *([] if after else ["left=False"])]
    text = f"{spread.spell('torch.linalg.solve')}({', '.join(arguments)})"
    if after and before:
        text = f"{_joined(spread, before)} @ {text}"
    tight = not (after and before) and not made.suffix
    return Site(spread, (text + made.suffix,), "linalg.solve", tight)


def _inverted(spread: Spread, node: ast.expr) -> ast.expr | None:
    found = operation(spread.scope, spread.value(node))
    return found[1][0] if found is not None and found[0] in _INVERSES and len(found[1]) == 1 else None


def _joined(spread: Spread, factors: Sequence[ast.expr]) -> str:
    if len(factors) == 1:
        return spread.text(factors[0])
    spread.operands += factors
    return " @ ".join(wrapped(spread.scope, item) for item in factors)


def reordered(node: ast.expr, ranks: Ranks) -> Site | None:
    """`(A @ B) @ v` is `A @ (B @ v)`."""
    spread = Spread(ranks.scope, node)
    made = chain(spread, node)
    if made is None or len(made.factors) < 3:
        return None
    texts = [wrapped(spread.scope, item) for item in made.factors]
    spread.operands += made.factors
    if made.left_first and (made.vector or _is_narrow(spread, made.factors[-1], ranks) or _is_linear(spread, made)):
        text = texts[-1]
        for item in reversed(texts[:-1]):
            text = f"{item} @ {text if text is texts[-1] else f'({text})'}"
    elif made.right_first and (_leads_narrow(ranks, made) or _is_factored(spread.scope, made)):
        text = " @ ".join(texts)
    elif made.flat:
        listed = ", ".join(spread.scope.text(item) for item in made.factors)
        text = f"{spread.spell('torch.linalg.multi_dot')}([{listed}])"
        return Site(spread, (text + made.suffix,), "multi_dot", not made.suffix)
    else:
        return None
    return Site(spread, (f"({text}){made.suffix}" if made.suffix else text,), "another order of products", False)


def _is_narrow(spread: Spread, node: ast.expr, ranks: Ranks) -> bool:
    """A vector, or one column."""
    if ranks.of(node) == 1:
        return True
    steps = operand(spread, node, ranks).steps
    if steps and isinstance(steps[-1], (New, Index)):
        return steps[-1] == New(-1) or (isinstance(steps[-1], Index) and steps[-1].entries[-1] == "N")
    call = spread.scope.names.call(spread.value(node))
    return call is not None and call[0] in (".view", ".reshape") and len(call[1]) > 2 and integer(call[1][-1]) == 1


def _is_linear(spread: Spread, made: Chain) -> bool:
    """Attention without a softmax: `q @ k.mT @ v` for what is no weight of a module."""
    if len(made.factors) != 3:
        return False
    keys = transposed(spread.scope, spread.value(made.factors[1]))
    weights = [item for item in (keys, made.factors[2]) if isinstance(item, ast.Attribute)]
    return keys is not None and not weights and transposed(spread.scope, made.factors[2]) is None


def _leads_narrow(ranks: Ranks, made: Chain) -> bool:
    return ranks.of(made.factors[0]) == 1


def _is_factored(scope: Scope, made: Chain) -> bool:
    """A weight in two factors: `x @ (self.down @ self.up)`."""
    bases = [turned(scope, item) or item for item in made.factors]
    return len(bases) == 3 and scope.attribute(bases[0]) is None and all(map(scope.attribute, bases[1:]))
