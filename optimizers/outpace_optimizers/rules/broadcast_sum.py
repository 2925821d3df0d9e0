"""broadcast-sum: sums of a product of broadcast tensors become matrix products, those of differences `torch.cdist`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from outpace_audit.records import Code, Idea, NumericsClass

from .algebra_sites import Site, algebra_sites
from .alike import Alike, alike
from .attention_ops import wrapped
from .broadcasts import Contraction, contraction, operand, take
from .flow import number
from .ranks import Ranks
from .reductions import arithmetic, operation, reduction, rooted, scaled, squared
from .scope import scopes
from .spread import Spread

_EXACT = 'compute_mode="donot_use_mm_for_euclid_dist"'
_NORMS = ("norm", "torch.linalg.norm", "torch.linalg.vector_norm")


@dataclass(frozen=True)
class _Power:
    """What is done to a difference over one dimension."""

    kind: str
    """`squared`, `absolute` or `norm`."""
    difference: ast.expr
    dims: tuple[int, ...]
    keepdim: bool


class BroadcastSum:
    id = "broadcast-sum"
    title = "Contract tensors without their broadcast product"
    claimed_class: NumericsClass = "tolerant"
    page = "docs/rules/broadcast-sum.md"

    def propose(self, code: Code) -> Iterator[Idea]:
        for scope in scopes(code):
            ranks = Ranks(scope, code.symbol)
            for site in algebra_sites(scope, lambda node, ranks=ranks: _distance(node, ranks) or _product(node, ranks)):
                for patch in site.patches(code):
                    yield Idea(
                        self.id,
                        f"{site.title} in {scope.definition.qualname}",
                        "each input is read once, and no tensor of all pairs is written to memory before it is summed",
                        self.claimed_class,
                        patch,
                    )


def _product(node: ast.expr, ranks: Ranks) -> Site | None:
    """`(a[:, None] * b[None]).sum(-1)`."""
    scope = ranks.scope
    summed = reduction(scope, node, "sum")
    if summed is None or summed.dims is None or summed.keywords or (summed.keepdim and len(summed.dims) != 1):
        return None
    spread = Spread(scope, node)
    inner, suffix = scaled(spread, summed.of)
    parts = arithmetic(scope, spread.take(inner))
    if parts is None or parts[0] is not ast.Mult:
        return None
    left, right = operand(spread, parts[1], ranks), operand(spread, parts[2], ranks)
    made = contraction(left, right, summed.dims)
    if made is None or _selects(spread, left.base) or _selects(spread, right.base):
        return None
    for part in parts[1:]:
        take(spread, part)
    pair = alike(spread, left.base, right.base)
    if pair is None:
        return None
    text, title = _as_matmul(spread, made, left.base, right.base, pair), "matrix product"
    if not text:
        text = f'{spread.spell("torch.einsum")}("{made.equation}", {pair.left}{pair.cast}, {pair.right}{pair.cast})'
        title = "einsum"
    tight = title == "einsum"
    if summed.keepdim:
        text, tight = f"{text if tight else f'({text})'}.unsqueeze({summed.dims[0]})", True
    return Site(spread, (text + suffix,), title, tight and not suffix, pair.before)


def _selects(spread: Spread, node: ast.expr) -> bool:
    """Whether it is visibly a mask or an index, which no matrix product takes."""
    node = spread.value(node)
    name = node.func.attr if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) else ""
    return name in ("bool", "long", "int") or isinstance(node, ast.Compare)


def _as_matmul(spread: Spread, made: Contraction, left: ast.expr, right: ast.expr, pair: Alike) -> str:
    """Empty where it is no product of matrices."""
    core = made.core
    one, two = set(core.left), set(core.right)
    summed, rows, columns = one & two, one - two, two - one
    if not (len(summed) == len(rows) == len(columns) == 1) or len(core.out) != 2:
        return ""
    flip = ".T" if core == made and not made.batched else ".mT"
    (row,), (inner,) = rows, summed
    first = pair.left if pair.left.isidentifier() else wrapped(spread.scope, left)
    second = pair.right if pair.right.isidentifier() else wrapped(spread.scope, right)
    first_turned, second_turned = core.left[0] == inner, core.right[0] != inner
    if core.out[0] != row:
        first, second, first_turned, second_turned = second, first, not second_turned, not first_turned
    return f"{_turned(first, flip, first_turned)}{pair.cast} @ {_turned(second, flip, second_turned)}{pair.cast}"


def _turned(text: str, flip: str, turn: bool) -> str:
    if not turn:
        return text
    return text.removesuffix(flip) if text.endswith(flip) else text + flip


def _distance(node: ast.expr, ranks: Ranks) -> Site | None:
    """`((a[:, None] - b[None]) ** 2).sum(-1)`, with or without a root, or a norm of the difference."""
    scope = ranks.scope
    spread = Spread(scope, node)
    root = rooted(scope, node)
    power = _power(spread, root if root is not None else node)
    if power is None or (root is not None and power.kind != "squared"):
        return None
    kind, keep = power.kind, power.keepdim
    parts = arithmetic(scope, power.difference)
    if parts is None or parts[0] is not ast.Sub or (keep and root is not None):
        return None
    left, right = operand(spread, parts[1], ranks), operand(spread, parts[2], ranks)
    made = contraction(left, right, power.dims)
    if made is None or (made.core.left, made.core.right) != ("ik", "jk"):
        return None
    both = alike(spread, left.base, right.base, wide=True)
    if both is None:
        return None
    for part in parts[1:]:
        take(spread, part)
    pair = [both.left + both.cast, both.right + both.cast]
    pair = pair if made.core.out == "ij" else pair[::-1]
    after = (".square()" if kind == "squared" and root is None else "") + (".unsqueeze(-1)" if keep else "")
    after += both.back
    modes = ("p=1",) if kind == "absolute" else (_EXACT, "")
    name = spread.spell("torch.cdist")
    texts = tuple(f"{name}({', '.join([*pair, mode] if mode else pair)}){after}" for mode in modes)
    return Site(spread, texts, "cdist", True, both.before)


def _power(spread: Spread, node: ast.expr) -> _Power | None:
    scope, node = spread.scope, spread.take(node)
    summed = reduction(scope, node, "sum")
    if summed is not None and summed.dims is not None and len(summed.dims) == 1 and not summed.keywords:
        inner = spread.take(summed.of)
        twice, found = squared(scope, inner), operation(scope, inner)
        if twice is not None:
            return _Power("squared", spread.take(*twice), summed.dims, summed.keepdim)
        if found is not None and found[0] in ("abs", "absolute") and len(found[1]) == 1:
            return _Power("absolute", spread.take(found[1][0]), summed.dims, summed.keepdim)
    normed = reduction(scope, node, *_NORMS, before_dim=("p",))
    if normed is None or normed.dims is None or len(normed.dims) != 1 or set(normed.keywords) - {"p", "ord"}:
        return None
    order = [number(value) for value in normed.keywords.values()] or [2.0]
    kind = {1.0: "absolute", 2.0: "norm"}.get(order[0] or 0.0) if len(order) == 1 else None
    return _Power(kind, spread.take(normed.of), normed.dims, normed.keepdim) if kind is not None else None


RULE = BroadcastSum()
