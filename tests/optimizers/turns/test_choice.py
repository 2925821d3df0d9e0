"""Whose turn is next: what turns have brought for what they took, and nothing left to chance."""

from __future__ import annotations

import math

import pytest

from outpace_optimizers.records import Asked, Turn
from outpace_optimizers.turns.choice import PRIORS, Budgets, Seen, choose, upper

ALL = list(PRIORS)
HOUR = Budgets(3600.0, 300_000, 1.0)


def turn(name: str, factor: float = 1.0, seconds: float = 30.0, dollars: float = 0.0, tokens: int = 0) -> Turn:
    return Turn(name, 1, int(factor > 1), factor, seconds, Asked(0.0, tokens, dollars))


def own(*turns: Turn) -> list[Seen]:
    return [Seen(one, own=True) for one in turns]


def order(seen: list[Seen], budgets: Budgets = HOUR) -> list[str]:
    left = list(reversed(ALL))
    found: list[str] = []
    while left:
        found.append(choose(left, seen, budgets))
        left.remove(found[-1])
    return found


def test_before_anything_is_known_known_moves_come_first_and_what_costs_money_last() -> None:
    assert order([]) == ["carried", "rules", "combining", "tuner", "compiling", "model"]


def test_a_model_that_wins_is_preferred_to_rules_that_do_not() -> None:
    seen = own(*[turn("rules")] * 6, *[turn("model", 1.4, 60.0, 0.02)] * 3)
    assert choose(["rules", "model"], seen, HOUR) == "model"
    assert choose(["rules", "model"], own(*[turn("rules", 1.2)] * 3, *[turn("model")] * 3), HOUR) == "rules"


def test_after_bad_luck_another_is_tried_and_then_the_first_again() -> None:
    seen: list[Seen] = []
    taken: list[str] = []
    for _ in range(60):
        taken.append(choose(["rules", "model"], seen, HOUR))
        seen += own(turn(taken[-1], seconds=30.0))
    assert taken[0] == "rules"
    first = taken.index("model")
    assert 1 < first < 30
    assert "rules" in taken[first:], "it was written off for good"


@pytest.mark.parametrize("dear", [{"seconds": 120.0}, {"dollars": 0.05}, {"tokens": 15_000}])
def test_of_two_that_win_alike_the_cheaper_goes_first(dear: dict[str, float]) -> None:
    seen = own(*[turn("rules", 1.3)] * 5, *[turn("model", 1.3, **dear)] * 5)  # type: ignore[arg-type]
    assert choose(["model", "rules"], seen, HOUR) == "rules"
    gains = own(*[turn("rules", 1.3)] * 5, *[turn("model", 40.0, **dear)] * 5)  # type: ignore[arg-type]
    assert choose(["model", "rules"], gains, HOUR) == "model", "a gain that is worth its price"


def test_money_counts_by_how_scarce_it_is() -> None:
    seen = own(*[turn("rules", 1.2, 60.0)] * 5, *[turn("model", 1.4, 30.0, 0.05)] * 5)
    assert choose(["rules", "model"], seen, Budgets(3600.0, math.inf, 100.0)) == "model"
    assert choose(["rules", "model"], seen, Budgets(3600.0, math.inf, 0.1)) == "rules"


def test_what_other_targets_showed_counts_for_a_few_turns_at_most() -> None:
    elsewhere = [Seen(turn("model", 1.5, 30.0), own=False)] * 200
    assert choose(["rules", "model"], elsewhere, HOUR) == "model"
    here = own(*[turn("model", seconds=30.0)] * 30)
    assert choose(["rules", "model"], [*elsewhere, *here], HOUR) == "rules", "200 turns elsewhere outvote 30 here"


def test_the_same_turns_give_the_same_choice_and_a_free_one_is_no_error() -> None:
    seen = own(turn("rules", 1.3, 0.0), turn("model", 1.0, 0.0))
    assert {choose(ALL, seen, Budgets(0.0, 0.1, 0.1)) for _ in range(20)} == {choose(ALL, seen, Budgets(0.0, 0.1, 0.1))}


def test_the_upper_end_is_wilsons() -> None:
    assert upper(0.4, 10, 0.0) == pytest.approx(0.4)
    assert upper(0.0, 10, 1.96**2) == pytest.approx(0.27753, abs=1e-4)  # known value for 0 of 10 at 95 percent
    assert upper(0.0, 1000, 1.96**2) < 0.005
