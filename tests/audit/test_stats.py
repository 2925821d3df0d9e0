"""The acceptance rule: Student's t against scipy, and how often identical code would win."""

from __future__ import annotations

import random

import pytest
from scipy import stats as scipy_stats

from outpace_audit.stats import confidence_for, estimate, student_t_quantile
from outpace_audit.thresholds import ALPHA, LOOKS

TRIALS = 10_000


@pytest.mark.parametrize("df", [1, 2, 4, 6, 30])
@pytest.mark.parametrize("p", [0.9, 0.99, 0.9975, 0.99999])
def test_quantiles_are_those_of_scipy(p: float, df: int) -> None:
    assert student_t_quantile(p, df) == pytest.approx(scipy_stats.t.ppf(p, df), rel=1e-7)


def test_the_interval_is_that_of_scipy() -> None:
    sample = [0.01, 0.03, -0.02, 0.05, 0.02]
    found = estimate(sample, 0.98)
    low, high = scipy_stats.t.interval(0.98, 4, loc=found.mean, scale=scipy_stats.sem(sample))
    assert (found.low, found.high) == pytest.approx((low, high))


def test_each_confirmation_on_a_target_makes_the_next_one_stricter() -> None:
    assert [confidence_for(before, 0.01) for before in (0, 1, 3)] == pytest.approx([0.98, 0.99, 0.995])


@pytest.mark.parametrize("device", LOOKS)
def test_code_at_the_limit_wins_no_oftener_than_alpha_however_many_looks_there_are(device: str) -> None:
    chance = random.Random(f"looks, {device}")
    looks = LOOKS[device]
    assert sum(share for _, share in looks) <= 1
    wins = 0
    for _ in range(TRIALS):
        pairs = [chance.gauss(0.0, 0.02) for _ in range(looks[-1][0])]
        wins += any(estimate(pairs[:number], confidence_for(0, ALPHA * share)).low > 0 for number, share in looks)
    least = scipy_stats.binom.ppf(0.999, TRIALS, ALPHA)
    assert TRIALS * ALPHA / 3 < wins <= least
