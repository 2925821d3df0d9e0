"""The arithmetic of the roofline, on figures that can be reckoned by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from outpace_audit.roofline.records import Point, Rate
from outpace_optimizers.roofline.limits import best_speedup, cached_share, standing, standings
from roofline_maker import CACHED, CEILINGS, WORK, measured, point, rate, timed


def test_a_call_is_held_by_what_takes_longest() -> None:
    one = standing(point(), CEILINGS)
    assert (one.limits.compute_s, one.limits.memory_s, one.limits.launch_s) == pytest.approx((10e-3, 1e-3, 2e-6))
    assert (one.bound, one.limits.seconds, one.speedup) == ("compute", pytest.approx(10e-3), pytest.approx(2.0))
    assert one.flops_per_s == pytest.approx(50e9) and one.bytes_per_s == pytest.approx(0.5e9)
    assert one.intensity == pytest.approx(100.0)
    assert not one.at_limit


def test_each_precision_has_its_own_peak() -> None:
    mixed = standing(point(replace(WORK, flops={"fp32": 1e9, "bf16": 4e9})), CEILINGS)
    assert mixed.limits.compute_s == pytest.approx(10e-3 + 10e-3)


def test_flops_without_a_ceiling_limit_nothing_and_are_named() -> None:
    one = standing(point(replace(WORK, flops={"fp8": 1e12})), CEILINGS)
    assert one.limits.compute_s == 0.0 and one.limits.unlimited == ("fp8",)
    assert one.bound == "memory"


def test_the_fastest_stream_is_the_memory_roof() -> None:
    one = standing(point(replace(WORK, flops={})), CEILINGS)
    assert one.bound == "memory"
    assert one.limits.bandwidth == pytest.approx(10e9)


@pytest.mark.parametrize(("operators", "bound"), [(5, "compute"), (4999, "compute"), (5001, "latency")])
def test_many_operators_are_latency_bound(operators: int, bound: str) -> None:
    assert standing(point(replace(WORK, operators=operators)), CEILINGS).bound == bound


def test_a_call_without_work_is_latency_bound_and_still_has_a_limit() -> None:
    one = standing(point(replace(WORK, flops={}, input_bytes=4, parameter_bytes=0, output_bytes=4)), CEILINGS)
    assert (one.bound, one.limits.seconds) == ("latency", 2e-6)


def test_of_compiled_code_no_launches_are_counted() -> None:
    many = point(replace(WORK, operators=10**6))
    assert standing(many, CEILINGS).bound == "latency"
    compiled = standing(many, CEILINGS, compiled=True)
    assert (compiled.bound, compiled.dispatch_s) == ("compute", None)


def test_what_fits_the_cache_is_limited_by_the_cache() -> None:
    small = standing(point(replace(WORK, flops={})), CACHED)
    assert small.limits.cached_share == 1.0
    assert small.limits.memory_s == pytest.approx(10e6 / 50e9)
    assert small.bytes_per_s < small.limits.bandwidth


def test_what_partly_fits_is_limited_by_both() -> None:
    work = replace(WORK, flops={}, input_bytes=30e6, output_bytes=10e6, parameter_bytes=0.0)
    one = standing(point(work, sets=5), CACHED)
    assert one.limits.cached_share == pytest.approx(0.5)
    assert one.limits.memory_s == pytest.approx(20e6 / 10e9 + 20e6 / 50e9)


def test_parameters_are_the_same_in_all_sets() -> None:
    assert cached_share(point(WORK, sets=99), 100e6) == pytest.approx(100e6 / (99 * 6e6 + 4e6))


def test_a_cache_measured_slower_than_the_memory_does_not_raise_the_limit() -> None:
    slow = replace(CACHED, rates=(*CEILINGS.rates, rate("copy", "cache", 1e9)))
    assert standing(point(replace(WORK, flops={})), slow).limits.memory_s == pytest.approx(1e-3)


def test_faster_than_the_limit_is_shown_as_such_and_gains_nothing() -> None:
    (one,) = stands = standings(measured(point(seconds=5e-3)), CEILINGS)
    assert one.speedup == pytest.approx(0.5)
    assert best_speedup(stands) == 1.0


def test_the_graph_decides_where_there_is_one() -> None:
    launches = (*CEILINGS.rates, rate("graph", "launch", 1e-6))
    both = Point("x", WORK, (timed(10e-3, "graph"), timed(30e-3)), 1)
    one = standing(both, replace(CEILINGS, rates=launches))
    assert (one.time.mode, one.limits.launch_s, one.dispatch_s) == ("graph", 1e-6, pytest.approx(5e-6))
    assert one.at_limit


def test_workloads_weigh_by_how_often_they_occur() -> None:
    near, far = point(seconds=10e-3), point(seconds=100e-3)
    stands = standings(measured(near, far), CEILINGS)
    assert best_speedup(stands) == pytest.approx(110 / 20)
    assert best_speedup(stands, [9.0, 1.0]) == pytest.approx(190 / 100)


def test_spread_is_a_share_of_the_smaller() -> None:
    assert Rate("x", "memory", 12e9, 10e9, 9, 1).spread == pytest.approx(0.2)
    assert Rate("x", "launch", 10e-6, 12e-6, 9, 1).spread == pytest.approx(0.2)
