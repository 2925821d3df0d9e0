"""A logarithmic axis: where values lie in a drawing, and which of them to name."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

MARGIN = 0.06
"""Of the axis, left free at both ends."""
LARGEST = 690.0
"""Of a logarithm: 1e300, and a float can still be multiplied by it a little."""
NARROW = 3.0
"""Below this span 1-2-5 steps of decades give fewer than three ticks: even steps instead."""


@dataclass(frozen=True, slots=True)
class LogScale:
    """Values from `low` to `high` on the pixels from `left` to `right`."""

    low: float
    high: float
    left: float
    right: float

    @classmethod
    def over(cls, values: Iterable[float], left: float, right: float) -> LogScale:
        """Over all finite, positive values, with a margin."""
        usable = [math.log(value) for value in values if 0 < value < math.inf] or [0.0]
        low, high = min(usable), max(usable)
        slack = max((high - low) * MARGIN, 0.005)
        return cls(math.exp(max(low - slack, -LARGEST)), math.exp(min(high + slack, LARGEST)), left, right)

    def at(self, value: float) -> float:
        """Clipped to the axis: what is 0 or infinite lies at its end."""
        if not value > self.low:
            return self.left
        low, high = math.log(self.low), math.log(self.high)
        share = (math.log(min(value, self.high)) - low) / (high - low)
        return self.left + share * (self.right - self.left)

    def ticks(self, most: int = 7) -> list[float]:
        found = self._even() if self.high < NARROW * self.low else self._decades()
        step = math.ceil(len(found) / most)
        return found[::step]

    def _even(self) -> list[float]:
        span = (self.high - self.low) / 4
        decade = 10.0 ** math.floor(math.log10(span))
        step = next(m * decade for m in (1, 2, 5, 10) if m * decade >= span)
        first = math.ceil(self.low / step)
        return [n * step for n in range(first, math.floor(self.high / step) + 1)]

    def _decades(self) -> list[float]:
        first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
        steps = (1, 2, 5) if last - first <= 3 else (1,)
        values = [m * 10.0**n for n in range(first, last + 1) for m in steps]
        return [value for value in values if self.low <= value <= self.high]
