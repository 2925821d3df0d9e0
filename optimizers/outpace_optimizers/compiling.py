"""Which of several ways to compile a target is worth an audit: one first look at all of them, side by side.

An audit of a compiled candidate takes as long as several looks. The look is no verdict, and nothing of it is shown.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_audit.records import Closely, Idea, QuickLook, Workload
from outpace_optimizers.rules.compile_modes import EACH_SIZE, SEARCHED

RULES = ("torch-compile", "compile-modes")
CLEARLY = 1.03
"""Times as fast as a plainer way: less is a first look's noise, and the plainer way compiles less often."""
LOOK_ROUNDS = 4
LEAST_LOOK_S, MOST_LOOK_S = 15.0, 60.0
"""For one way to load, compile and answer: a graph of pointwise work compiles in a few seconds, one with products in
ten; a search may take minutes, and is given up."""
LOOK_SHARE = 1 / 2
"""Of the time that is left."""
LARGE = 1 << 18
"""Elements of a matrix of 512 rows: for smaller ones there is nothing to search for that a launch would not hide."""


@dataclass(frozen=True, slots=True)
class Ways:
    """In the order in which they are to be audited. `plain` are instead of each other, the plainest first where it is
    no slower; `searched` may follow one that was accepted."""

    plain: tuple[Idea, ...]
    searched: tuple[Idea, ...]
    notes: tuple[str, ...] = ()


def sensible(ideas: Sequence[Idea], workloads: Sequence[Workload]) -> list[Idea]:
    """Without those that have nothing to gain on these workloads."""
    sizes = {tuple(arg.shape for arg in one.args) for one in workloads}
    large = any(math.prod(arg.shape) >= LARGE for one in workloads for arg in one.args if arg.shape is not None)
    return [idea for idea in ideas if (large if _searches(idea) else len(sizes) > 1 or not _for_each_size(idea))]


def look_limit(left_s: float) -> Closely:
    return Closely(LOOK_ROUNDS, min(MOST_LOOK_S, max(LEAST_LOOK_S, left_s * LOOK_SHARE)))


def ordered(ideas: Sequence[Idea], looks: Sequence[QuickLook]) -> Ways:
    """By their first looks. What failed is left out, and said."""
    ratios = {idea.patch.id: look.ratio for idea, look in zip(ideas, looks, strict=True) if look.ratio is not None}
    failed = [(idea, look.failure) for idea, look in zip(ideas, looks, strict=True) if idea.patch.id not in ratios]
    notes = tuple(f"{idea.title}: not audited: in a first look: {failure}" for idea, failure in failed)
    plain = [idea for idea in ideas if idea.patch.id in ratios and not _searches(idea)]
    # The plainest is the first; each after it has to be clearly faster.
    plain.sort(key=lambda idea: -ratios[idea.patch.id] / (CLEARLY if idea is not ideas[0] else 1.0))
    best = max((ratios[idea.patch.id] for idea in plain), default=0.0)
    searched = [
        idea
        for idea in ideas
        if _searches(idea) and idea.patch.id in ratios and ratios[idea.patch.id] >= CLEARLY * best
    ]
    return Ways(tuple(plain), tuple(searched), notes)


def _searches(idea: Idea) -> bool:
    return SEARCHED in idea.patch.new_source


def _for_each_size(idea: Idea) -> bool:
    return EACH_SIZE in idea.patch.new_source
