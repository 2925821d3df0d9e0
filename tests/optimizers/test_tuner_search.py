"""What the tuner tries next, told what is known; no torch, no judge."""

from __future__ import annotations

import itertools
import math
import sys
from collections.abc import Sequence

import pytest

from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import QuickLook
from outpace_optimizers.tuner.knobs import Knob, Values
from outpace_optimizers.tuner.search import Limits, Search

pytest.importorskip("optuna")

SIZES = tuple(1 << bit for bit in range(4, 12))
KNOBS = [
    Knob("BLOCK", 16, SIZES, (), "f"),
    Knob("num_warps", 4, (1, 2, 4, 8, 16), (), "f"),
    Knob("num_stages", 3, (1, 2, 3, 4, 5, 6), (), "f"),
]


def look(values: Values) -> QuickLook:
    """Best at (512, 8, 4); what needs too much of both fails."""
    block, warps, stages = values
    if block * stages > 8192:
        return QuickLook("out of shared memory")
    away = abs(math.log2(block / 512)) + 0.7 * abs(math.log2(warps / 8)) + 0.2 * abs(stages - 4)
    return QuickLook(ratio=10 * 0.8**away)


class Measured:
    def __init__(self) -> None:
        self.values: list[Values] = []

    def __call__(self, wanted: Sequence[Values]) -> list[QuickLook]:
        self.values += wanted
        return [look(values) for values in wanted]


@pytest.mark.parametrize("seed", range(5))
def test_a_tenth_of_the_space_comes_near_its_best(seed: int) -> None:
    whole = list(itertools.product(*(knob.choices for knob in KNOBS)))
    best = max(look(values).ratio or 0.0 for values in whole)
    search, measured = Search(KNOBS, {}, seed), Measured()
    search.run(measured, lambda: "", Limits(variants=len(whole) // 10 + 1, dry=1000))
    assert len(measured.values) == len(set(measured.values)) == len(whole) // 10
    assert (16, 4, 3) not in measured.values, "the present setting is told"
    found = look(search.ranked(1.0)[0]).ratio
    assert found is not None and found >= 0.9 * best


def test_what_is_known_is_told_and_not_measured_again() -> None:
    limits = Limits(variants=24, dry=1000)
    first, second = Measured(), Measured()
    search = Search(KNOBS, {})
    search.run(first, lambda: "", limits)
    known = {values: one for values, one in search.looks.items() if values != search.current}
    again = Search(KNOBS, known)
    assert again.run(second, lambda: "", limits) == "24 of 240 settings were tried"
    assert not second.values
    assert again.ranked(1.0) == search.ranked(1.0)
    Search(KNOBS, known).run(second, lambda: "", Limits(variants=30, dry=1000))
    assert len(second.values) == 6 and not set(second.values) & set(first.values)


def test_the_same_seed_tries_the_same() -> None:
    runs = [Measured() for _ in range(2)]
    for measured in runs:
        Search(KNOBS, {}, seed=3).run(measured, lambda: "", Limits(variants=20))
    assert runs[0].values == runs[1].values


def test_it_ends_where_nothing_is_left_or_nothing_better_comes() -> None:
    measured = Measured()
    few = Search(KNOBS[1:2], {})
    assert (
        few.run(lambda wanted: [QuickLook(ratio=1.0)] * len(wanted), lambda: "", Limits())
        == "all 5 settings were tried"
    )
    dull = Search(KNOBS, {})
    why = dull.run(lambda wanted: [QuickLook("raised")] * len(wanted), lambda: "", Limits(dry=8))
    assert "the last 8 brought nothing better" in why
    assert not dull.ranked(0.0)
    assert Search(KNOBS, {}).run(measured, lambda: "no time", Limits()).endswith("no time")
    assert not measured.values


def test_without_optuna_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(EnvironmentMissing, match=r"pip install 'outpace\[tune\]'"):
        Search(KNOBS, {})
