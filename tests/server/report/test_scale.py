"""The logarithmic axis."""

from __future__ import annotations

import math

import pytest

from outpace_server.report.scale import LogScale

RANGES = [(0.98, 1.05), (0.5, 20.0), (1e-9, 3e-2), (1.0, 1.0), (0.0, 4.0), (1.0, math.inf), (1e-300, 1e300)]


@pytest.mark.parametrize("values", [*RANGES, (), (math.nan, 0.0)])
def test_everything_is_drawn_on_the_axis_and_some_of_it_is_named(values: tuple[float, ...]) -> None:
    scale = LogScale.over(values, 100.0, 700.0)
    places = [scale.at(value) for value in sorted(value for value in values if value == value)]
    assert places == sorted(places)
    assert all(100.0 <= place <= 700.0 for place in places)
    ticks = scale.ticks()
    assert 1 <= len(ticks) <= 7
    assert all(scale.low <= tick <= scale.high for tick in ticks)


def test_equal_ratios_are_equal_distances() -> None:
    scale = LogScale.over([1.0, 100.0], 0.0, 600.0)
    assert scale.at(10.0) - scale.at(1.0) == pytest.approx(scale.at(100.0) - scale.at(10.0))
    assert scale.at(math.nan) == 0.0
