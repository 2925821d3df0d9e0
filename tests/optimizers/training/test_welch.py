"""Welch's test against scipy, how many runs an effect needs against the table of the field, and null edits' wins."""

from __future__ import annotations

import random

import pytest
from scipy import stats as scipy_stats

from outpace_optimizers.training.welch import compare, effect_found, runs_needed

BASELINE = [2.51, 2.48, 2.55, 2.50, 2.53]
CANDIDATE = [2.41, 2.47, 2.38, 2.44]


@pytest.mark.parametrize("sign, alternative", [(-1, "greater"), (1, "less")])
def test_the_test_is_scipys_at_the_degrees_of_freedom_rounded_down(sign: int, alternative: str) -> None:
    found = compare(BASELINE, CANDIDATE, sign, 0.01)
    exact = scipy_stats.ttest_ind(BASELINE, CANDIDATE, equal_var=False, alternative=alternative)
    t = -sign * exact.statistic
    assert found.df == int(exact.df) == 5
    assert found.p == pytest.approx(scipy_stats.t.sf(t, 5))
    assert found.low == pytest.approx(found.gain - scipy_stats.t.ppf(0.99, 5) * found.gain / t)
    assert found.gain - found.low == pytest.approx(found.high - found.gain)


def test_rounding_down_never_proves_what_the_exact_test_does_not() -> None:
    exact = scipy_stats.ttest_ind(BASELINE, CANDIDATE, equal_var=False, alternative="greater")
    found = compare(BASELINE, CANDIDATE, -1, 0.01)
    assert found.p > exact.pvalue and found.low < exact.confidence_interval(0.99).low < found.gain


def test_a_gain_is_proven_exactly_where_p_is_below_alpha() -> None:
    for shift in (0.0, 0.02, 0.04, 0.05, 0.06, 0.08):
        found = compare(BASELINE, [value - shift for value in BASELINE], -1, 0.01)
        assert found.proven == (found.p < 0.01)
        assert found.gain == pytest.approx(shift)


def test_runs_that_are_all_alike() -> None:
    assert compare([1.0, 1.0], [0.9, 0.9], -1, 0.01).proven
    assert not compare([1.0, 1.0], [1.0, 1.0], -1, 0.01).proven


@pytest.mark.parametrize(
    "ratio, runs",
    [(0.25, 323), (0.33, 186), (0.5, 82), (0.75, 38), (1, 22), (1.5, 11), (2, 7), (3, 4), (4, 3)],
)
def test_runs_needed_at_one_percent_and_80_percent_power(ratio: float, runs: int) -> None:
    assert runs_needed(ratio * 0.002, 0.002, 0.01, 0.8) == runs


def test_the_effect_that_is_found_needs_those_runs() -> None:
    for runs in (3, 5, 20):
        assert runs_needed(effect_found(runs, 0.01, 0.01) * 1.0001, 0.01, 0.01) == runs
    assert effect_found(1, 0.01, 0.01) == float("inf")


def test_a_null_edit_wins_no_oftener_than_alpha_even_in_screening_alone() -> None:
    chance = random.Random("null edits")
    trials = 4_000
    wins = sum(
        compare(*([chance.gauss(2.5, 0.01) for _ in range(5)] for _ in "ab"), -1, 0.01).proven for _ in range(trials)
    )
    assert trials * 0.01 / 4 < wins <= scipy_stats.binom.ppf(0.999, trials, 0.01)
