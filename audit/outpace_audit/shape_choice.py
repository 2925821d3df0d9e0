"""Which shapes, of those that a baseline bears, one audit tries: by chance, the telling kinds always among them."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from outpace_audit.facts import WorkloadFacts
from outpace_audit.shape_scouting import Variant
from outpace_audit.shapes import BATCHED, DEGENERATE, EXCHANGED, JOINT, JOINT_LARGER, LARGEST, LAST, LEAST, PLANE, WIDE
from outpace_audit.thresholds import DEGENERATE_SHAPES, EXTRA_SHAPES, LARGER_SHAPES, LEAST_SHAPES, REPLACED_SHAPES

ONCE = (JOINT, JOINT_LARGER, WIDE, PLANE, BATCHED)
"""One of each, where a baseline bears it."""

Pool = Sequence[tuple[WorkloadFacts, Variant]]


def chosen_shapes(pool: Pool) -> list[tuple[WorkloadFacts, Variant]]:
    degenerate = _of_kinds(pool, *DEGENERATE)
    special = [item for kind in ONCE for item in _of_kinds(pool, kind)[:1]]
    special += spread(_of_kinds(pool, LEAST), min(LEAST_SHAPES, EXTRA_SHAPES - 2 - len(special)))
    larger = min(LARGER_SHAPES, EXTRA_SHAPES - 1 - len(special))
    special += spread(_largest_first(_of_kinds(pool, LARGEST)), larger)
    left = [item for item in _of_one_symbol(pool) if item not in special]
    general = spread(left, EXTRA_SHAPES - len(special))
    return [*special, *general, *spread(degenerate, DEGENERATE_SHAPES), *_one_exchange(pool)]


def _one_exchange(pool: Pool) -> Pool:
    """Both shapes of one workload, or none; on top, since neither says anything alone."""
    both = _of_kinds(pool, EXCHANGED)
    return [item for item in both if item[0] is both[0][0]]


def instead_of(refused: Variant, left: Pool) -> Pool:
    """What else to try where a candidate raises."""
    if refused.kind in (JOINT, JOINT_LARGER):
        return spread(_of_one_symbol(left), REPLACED_SHAPES)
    if refused.kind in (*DEGENERATE, EXCHANGED, LAST):
        return []
    return [item for item in _of_kinds(left, LAST) if item[1].symbol == refused.symbol][:1]


def _largest_first(pool: Pool) -> Pool:
    """What is right up to some number of elements only shows there; the rest stay in their secret order."""
    most = max((_elements(variant) for _, variant in pool), default=0)
    return sorted(pool, key=lambda item: _elements(item[1]) < most)


def _elements(variant: Variant) -> int:
    return sum(math.prod(arg.shape or (0,)) for arg in variant.workload.args)


def _of_kinds(pool: Pool, *kinds: str) -> Pool:
    return [item for item in pool if item[1].kind in kinds]


def _of_one_symbol(pool: Pool) -> Pool:
    return [item for item in pool if item[1].kind not in (*ONCE, LEAST, EXCHANGED, *DEGENERATE)]


def spread(pool: Pool, wanted: int) -> Pool:
    """Variants of as many symbols, then kinds, then workloads as possible."""
    left, chosen = list(pool), list[tuple[WorkloadFacts, Variant]]()
    used: Counter[str] = Counter()
    while left and len(chosen) < wanted:
        best = min(
            left,
            key=lambda item: (
                used[item[1].symbol],
                item[1].kind == LAST,
                used[item[1].kind],
                used[item[0].workload.label],
            ),
        )
        left.remove(best)
        chosen.append(best)
        used.update((best[1].symbol, best[1].kind, best[0].workload.label))
    return chosen
