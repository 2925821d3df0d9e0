"""The raw samples of process pairs, and what they come to. Sides are in the order (baseline, candidate)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from outpace_audit.stats import median

SMALL_OVERHEAD = 0.5
"""The harness's own time per window is subtracted while it is at most this share of what was measured."""

Sides = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Window:
    """One window of each side, in seconds from the message that starts it to the answer, all calls together."""

    seed: int
    first: Literal["baseline", "candidate"]
    seconds: Sides
    claimed: Sides
    """The same by the clocks inside the arms; NaN where an arm claimed no number."""


@dataclass(frozen=True, slots=True)
class Samples:
    """What one process pair says of one workload in one mode. `harness` is a window's time with no call in it."""

    workload: str
    mode: Literal["as-called", "graph"]
    calls: tuple[int, int]
    """In one window; each replay of a graph counts as all the calls in it."""
    harness: Sides
    harness_claimed: Sides
    windows: tuple[Window, ...]

    def per_call(self) -> list[Sides]:
        """Seconds, the harness taken off, window by window."""
        return [_per_call(window.seconds, self.harness, self.calls) for window in self.windows]

    def claimed_per_call(self) -> list[Sides]:
        return [_per_call(window.claimed, self.harness_claimed, self.calls) for window in self.windows]

    def log_ratio(self) -> float:
        """Above 0 where the candidate is faster: the median over windows, which a hiccup in one does not move."""
        return median([math.log(baseline / candidate) for baseline, candidate in self.per_call()])

    def claimed_log_ratio(self) -> float:
        """The same by the clocks inside the arms: on a GPU events, which a window's start and end do not move; NaN
        where one claims nothing. Nobody vouches for it."""
        claims = self.claimed_per_call()
        if not all(one > 0 for pair in claims for one in pair):
            return math.nan
        return median([math.log(baseline / candidate) for baseline, candidate in claims])

    def seconds(self) -> Sides:
        """Of a call: each side's median."""
        pairs = self.per_call()
        return median([baseline for baseline, _ in pairs]), median([candidate for _, candidate in pairs])


@dataclass(frozen=True, slots=True)
class ProcessPair:
    """Two processes that lived for these samples alone."""

    role: Literal["screen", "confirmation", "dropped"]
    """Only those of the confirmation count; one that met a foreign load is dropped, whatever it showed."""
    started_first: Literal["baseline", "candidate"]
    foreign_share: float
    """Of the machine's processor time, what other programs used meanwhile; 0 on a GPU, where nobody looks."""
    samples: tuple[Samples, ...]


def _per_call(measured: Sides, harness: Sides, calls: tuple[int, int]) -> Sides:
    first, second = (
        (time - min(idle, time * SMALL_OVERHEAD)) / n for time, idle, n in zip(measured, harness, calls, strict=True)
    )
    return first, second
