"""Ceilings are measured once for a machine and torch, and never kept where others disturbed them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from outpace_audit.roofline.records import Ceilings, Rate
from outpace_optimizers.roofline.ceilings import ceilings_of, disturbance, kept, place_of
from roofline_maker import CEILINGS, MACHINE

NOISY = replace(CEILINGS, rates=(Rate("copy", "memory", 10e9, 8e9, 9, 1),))


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    return tmp_path / "outpace"


class Measuring:
    def __init__(self, *found: Ceilings) -> None:
        self.left = list(found)

    def __call__(self) -> Ceilings:
        return self.left.pop(0)


def test_they_are_measured_once(cache: Path) -> None:
    measuring = Measuring(CEILINGS)
    assert ceilings_of(MACHINE, measuring, fresh=False) == (CEILINGS, "")
    assert ceilings_of(MACHINE, measuring, fresh=False) == (CEILINGS, "")
    assert place_of(MACHINE).parent == cache


def test_fresh_measures_and_keeps_again() -> None:
    newer = replace(CEILINGS, measured_at=5.0)
    measuring = Measuring(CEILINGS, newer)
    ceilings_of(MACHINE, measuring, fresh=False)
    assert ceilings_of(MACHINE, measuring, fresh=True) == (newer, "")
    assert kept(MACHINE) == newer


@pytest.mark.parametrize(
    ("found", "why"),
    [
        (NOISY, "1 of 1 ceilings spread by more than 15%: memory copy by 25%"),
        (replace(CEILINGS, foreign_share=0.4), "other programs used 40% of the processors"),
    ],
)
def test_disturbed_ones_are_used_with_a_word_and_not_kept(found: Ceilings, why: str) -> None:
    measured, said = ceilings_of(MACHINE, Measuring(found), fresh=False)
    assert measured == found and why in said and "too low" in said
    assert kept(MACHINE) is None
    assert disturbance(CEILINGS) == ""


def test_another_torch_and_another_machine_have_their_own(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu = replace(MACHINE, device="cuda", uuid="GPU-1", driver="570.1")
    machines = [
        MACHINE, replace(MACHINE, torch="2.14.0"), replace(MACHINE, name="B CPU"), replace(MACHINE, cores=4),
        gpu, replace(gpu, uuid="GPU-2"), replace(gpu, driver="580.1"),
    ]  # fmt: skip
    places = {place_of(machine) for machine in machines}
    assert len(places) == len(machines)
    assert place_of(replace(gpu, cpu="B CPU", cores=4)) in places
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    assert place_of(MACHINE) not in places


@pytest.mark.parametrize(
    "spoil", [lambda text: text[:50], lambda text: "[]", lambda text: text.replace('"format": 1', '"format": 0')]
)
def test_what_cannot_be_read_is_measured_again(spoil: Callable[[str], str]) -> None:
    ceilings_of(MACHINE, Measuring(CEILINGS), fresh=False)
    place = place_of(MACHINE)
    place.write_text(spoil(place.read_text()))
    again = replace(CEILINGS, measured_at=7.0)
    assert ceilings_of(MACHINE, Measuring(again), fresh=False) == (again, "")


def test_a_cache_that_cannot_be_written_is_said(cache: Path) -> None:
    cache.write_text("a file")
    found, said = ceilings_of(MACHINE, Measuring(CEILINGS), fresh=False)
    assert found == CEILINGS and "cannot be written" in said
