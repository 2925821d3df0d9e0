"""Raw samples, and what they come to."""

from __future__ import annotations

import math

import pytest

from outpace_audit.samples import Samples, Window


def samples(seconds: list[tuple[float, float]], harness: tuple[float, float] = (0.0, 0.0)) -> Samples:
    windows = tuple(Window(i, "baseline", pair, pair) for i, pair in enumerate(seconds))
    return Samples("w", "as-called", (10, 20), harness, harness, windows)


def test_times_are_per_call_and_without_the_harness() -> None:
    found = samples([(1.1, 1.1)], harness=(0.1, 0.1)).per_call()
    assert found == [(pytest.approx(0.1), pytest.approx(0.05))]


def test_the_harness_takes_off_at_most_half() -> None:
    assert samples([(1.0, 1.0)], harness=(0.9, 0.5)).per_call() == [(0.05, 0.025)]


def test_one_hiccup_does_not_move_the_ratio() -> None:
    calm = samples([(1.0, 1.0)] * 5)
    assert calm.log_ratio() == pytest.approx(math.log(2))
    assert samples([(1.0, 1.0)] * 4 + [(30.0, 1.0)]).log_ratio() == calm.log_ratio()
    assert calm.seconds() == (0.1, 0.05)
