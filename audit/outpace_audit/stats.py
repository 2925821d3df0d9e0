"""The decision statistics: Student's t over process pairs. Standard library only; scipy is the oracle in the tests."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True, slots=True)
class Estimate:
    """Mean of log-ratios with its two-sided t-interval, all in log units."""

    mean: float
    low: float
    high: float
    confidence: float
    n: int

    @property
    def ratio(self) -> float:
        return math.exp(self.mean)

    @property
    def ratio_interval(self) -> tuple[float, float]:
        return math.exp(self.low), math.exp(self.high)


def estimate(log_ratios: Sequence[float], confidence: float) -> Estimate:
    """t-interval of the mean of `log_ratios`; infinitely wide below two samples."""
    n = len(log_ratios)
    mean = math.fsum(log_ratios) / n
    if n < 2:
        return Estimate(mean, -math.inf, math.inf, confidence, n)
    variance = math.fsum((x - mean) ** 2 for x in log_ratios) / (n - 1)
    half = student_t_quantile(0.5 + confidence / 2, n - 1) * math.sqrt(variance / n)
    return Estimate(mean, mean - half, mean + half, confidence, n)


def confidence_for(confirmations_before: int, alpha: float) -> float:
    """Two-sided confidence whose lower bound is one-sided at alpha / (1 + confirmations already spent on the target).

    Reference: the acceptance rule of docs/audit.md; Bonferroni over the ideas that reached confirmation.
    """
    return 1 - 2 * alpha / (1 + confirmations_before)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


@lru_cache(maxsize=256)
def student_t_quantile(p: float, df: int) -> float:
    """Inverse of Student's t distribution function by bisection, to 1e-10; p in (0.5, 1)."""
    low, high = 0.0, 1.0
    while student_t_cdf(high, df) < p:
        high *= 2
    for _ in range(200):
        middle = (low + high) / 2
        if student_t_cdf(middle, df) < p:
            low = middle
        else:
            high = middle
        if high - low < 1e-10:
            break
    return (low + high) / 2


def student_t_cdf(t: float, df: int) -> float:
    """P(T <= t) for t >= 0 through the regularised incomplete beta function."""
    return 1 - 0.5 * _incomplete_beta(df / 2, 0.5, df / (df + t * t))


def _incomplete_beta(a: float, b: float, x: float) -> float:
    """Regularised incomplete beta I_x(a, b) by Lentz's continued fraction (Numerical Recipes, section 6.4)."""
    if x <= 0 or x >= 1:
        return 0.0 if x <= 0 else 1.0
    log_front = math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)
    if x > (a + 1) / (a + b + 2):
        return 1 - _incomplete_beta(b, a, 1 - x)
    tiny = 1e-300
    c, d = 1.0, 1 - (a + b) * x / (a + 1)
    d = 1 / (d if abs(d) > tiny else tiny)
    value = d
    for m in range(1, 300):
        for numerator in (
            m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m)),
            -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1)),
        ):
            d = 1 + numerator * d
            d = 1 / (d if abs(d) > tiny else tiny)
            c = 1 + numerator / c
            c = c if abs(c) > tiny else tiny
            value *= d * c
        if abs(d * c - 1) < 1e-14:
            break
    return math.exp(log_front) * value / a
