"""Is one mean better than another: Welch's one-sided t test, and how many runs of each side an effect needs."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_audit.stats import student_t_cdf, student_t_quantile

POWER = math.sqrt(0.8)
"""Of each of two tests, screening and confirmation, so that both find the effect in 80% of campaigns."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`gain`: how much better the candidate's mean is, in the metric's units. `low`, `high`: its bounds, each one-sided
    at `alpha`. `p`: how often a candidate that is not better would look as good."""

    gain: float
    low: float
    high: float
    p: float
    df: int
    alpha: float
    n: tuple[int, int]
    means: tuple[float, float]
    spreads: tuple[float, float]

    @property
    def proven(self) -> bool:
        return self.low > 0


def compare(baseline: Sequence[float], candidate: Sequence[float], sign: int, alpha: float) -> Comparison:
    """At least two of each. `sign`: 1 where higher is better, else -1.

    t = gain / sqrt(s1²/n1 + s2²/n2), with Welch and Satterthwaite's degrees of freedom, rounded down.
    """
    sizes = len(baseline), len(candidate)
    means = statistics.fmean(baseline), statistics.fmean(candidate)
    parts = statistics.variance(baseline) / sizes[0], statistics.variance(candidate) / sizes[1]
    gain, error = sign * (means[1] - means[0]), math.sqrt(sum(parts))
    df = _freedom(parts, sizes)
    half = student_t_quantile(1 - alpha, df) * error
    p = _p_value(gain, error, df)
    spreads = math.sqrt(parts[0] * sizes[0]), math.sqrt(parts[1] * sizes[1])
    return Comparison(gain, gain - half, gain + half, p, df, alpha, sizes, means, spreads)


def _freedom(parts: tuple[float, float], sizes: tuple[int, int]) -> int:
    below = sum(part**2 / (n - 1) for part, n in zip(parts, sizes, strict=True))
    return max(1, math.floor(sum(parts) ** 2 / below)) if below else min(sizes) - 1


def _p_value(gain: float, error: float, df: int) -> float:
    if error == 0:
        return 0.0 if gain > 0 else 1.0
    t = gain / error
    return 1 - student_t_cdf(t, df) if t >= 0 else student_t_cdf(-t, df)


def runs_needed(effect: float, spread: float, alpha: float, power: float = POWER) -> int:
    """Of each side in one test: 2 (z_alpha + z_power)² (spread/effect)² + z_alpha²/4, Guenther's correction for t."""
    normal = statistics.NormalDist()
    z_alpha, z_power = normal.inv_cdf(1 - alpha), normal.inv_cdf(power)
    return max(2, math.ceil(2 * ((z_alpha + z_power) * spread / effect) ** 2 + z_alpha**2 / 4))


def effect_found(runs: int, spread: float, alpha: float, power: float = POWER) -> float:
    """The smallest effect that `runs` of each side find; infinite where no effect is large enough for so few."""
    normal = statistics.NormalDist()
    z_alpha, z_power = normal.inv_cdf(1 - alpha), normal.inv_cdf(power)
    left = runs - z_alpha**2 / 4
    return spread * (z_alpha + z_power) * math.sqrt(2 / left) if left > 0 else math.inf
