"""Attention written out: a softmax of one batched product that goes into another, each a pass over all scores."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from outpace_optimizers.profiles.findings import Recorded, innermost
from outpace_optimizers.profiles.hosts import Node
from outpace_optimizers.profiles.operator_time import host_times_of, times_of
from outpace_optimizers.profiles.records import Attention

PRODUCTS = {"aten::bmm": 0, "aten::baddbmm": 1}
"""By name, with how many arguments come before the two factors."""
SOFTMAX = "aten::_softmax"
FUSED = "aten::scaled_dot_product_attention"
"""What it does inside is its own choice."""
DROPPING = frozenset({"aten::bernoulli_", "aten::native_dropout"})
"""torch's fused operator for processors knows no dropout: with it, attention is written out inside, too."""
OTHERS = frozenset({"aten::linear", "aten::addmm", "aten::mm"})
"""Layers that may be called between the products, and have no part in it."""


@dataclass(frozen=True, slots=True)
class _WrittenOut:
    product: Node
    softmax: Node
    second: Node

    @property
    def group(self) -> tuple[str, tuple[int, ...]]:
        return innermost(self.softmax.rows), _dims(self.softmax, 0)


def attention(recorded: Recorded) -> tuple[Attention, ...]:
    """By the code that it is in and the shape of the scores, what takes most first."""
    forward = [node for node in recorded.hosts.main.nodes if node.category == "cpu_op" and not node.backward]
    inside = [node for node in forward if recorded.start <= node.start < recorded.end]
    starts = [node.start for node in inside]

    def between(first: Node, last: Node) -> Sequence[Node]:
        return inside[bisect_left(starts, first.start) : bisect_right(starts, last.start)]

    found = [
        one
        for one in _written_out(inside)
        if recorded.activities or not any(node.name in DROPPING for node in between(one.softmax, one.second))
    ]
    whole: dict[Node, tuple[str, tuple[int, ...]]] = {}
    for one in found:
        part = between(one.product, one.second)
        whole |= {node: one.group for node in part if not _another(node, one.product.start)}
    products = {node: one.group for one in found for node in (one.product, one.second)}
    seconds = times_of(recorded, whole, backward=True)
    on_host = host_times_of(recorded, whole, backward=True)
    in_products = times_of(recorded, products, backward=True)
    counts = {group: sum(one.group == group for one in found) for group in {one.group for one in found}}
    parts = (seconds, in_products, on_host)
    records = [
        Attention(where, shape, count / recorded.steps, *(part.get((where, shape), 0.0) for part in parts))
        for (where, shape), count in counts.items()
    ]
    return tuple(sorted(records, key=lambda one: -one.seconds))


def _written_out(nodes: Sequence[Node]) -> Iterator[_WrittenOut]:
    """What follows each other in the order of calls, with the sizes of one flow of data."""
    product: Node | None = None
    scored: tuple[Node, Node] | None = None
    for node in nodes:
        if (node.name not in PRODUCTS and node.name != SOFTMAX) or _within(node, FUSED):
            continue
        if node.name == SOFTMAX:
            scored = (product, node) if product is not None and _are_scores(product, node) else None
            continue
        if scored is not None and _reads(node, scored[1]):
            yield _WrittenOut(*scored, node)
            scored = None
        product = node


def _are_scores(product: Node, softmax: Node) -> bool:
    first, second = _factors(product)
    scores = _dims(softmax, 0)
    if len(first) != 3 or len(second) != 3 or not scores:
        return False
    return scores[-1] == second[2] > 1 and math.prod(scores) == first[0] * first[1] * second[2]


def _reads(product: Node, softmax: Node) -> bool:
    weights, scores = _factors(product)[0], _dims(softmax, 0)
    return len(weights) == 3 and weights[2] == scores[-1] and math.prod(weights) == math.prod(scores)


def _factors(product: Node) -> tuple[tuple[int, ...], tuple[int, ...]]:
    before = PRODUCTS[product.name]
    return _dims(product, before), _dims(product, before + 1)


def _dims(node: Node, argument: int) -> tuple[int, ...]:
    """Nothing where the trace was recorded without shapes."""
    every = (node.event.get("args") or {}).get("Input Dims") or ()
    dims = every[argument] if argument < len(every) else ()
    return tuple(dims) if all(isinstance(one, int) for one in dims) else ()


def _within(node: Node, name: str) -> bool:
    at: Node | None = node
    while at is not None and at.category == "cpu_op":
        if at.name == name:
            return True
        at = at.parent
    return False


def _another(node: Node, since: float) -> bool:
    """Whether it is, or is called by, a layer that began after `since`."""
    at: Node | None = node
    while at is not None and at.start >= since:
        if at.name in OTHERS:
            return True
        at = at.parent
    return False
