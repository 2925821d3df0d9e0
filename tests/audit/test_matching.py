"""A benchmark's own tolerance: hand-made outputs, and shares that were counted by hand."""

from __future__ import annotations

import math

import pytest
import torch

from outpace_audit.matching import match
from outpace_audit.records import Match, Tolerance
from outpace_audit.sides import LeafView, Reply


def reply(*values: float, dtype: str = "float32") -> Reply:
    leaf = LeafView("0", (len(values),), (1,), dtype, tensor=torch.tensor(values))
    return Reply((leaf,), (), ())


def matched(ours: Reply, theirs: Reply, **tolerance: float | bool) -> Match:
    return match("w", ours, theirs, Tolerance(**tolerance))  # type: ignore[arg-type]


def test_a_share_of_elements_has_to_lie_within_both_tolerances_together() -> None:
    ours, theirs = reply(1.0, 10.0, 100.0, 0.0), reply(1.015, 10.15, 101.5, 0.02)
    # within 0.01 + 0.01 * |ours|: 0.015 <= 0.02, 0.15 > 0.11, 1.5 > 1.01, 0.02 > 0.01
    assert matched(ours, theirs) == Match("w", 0.25, False)
    assert matched(ours, theirs, max_atol=0.02, max_rtol=0.015, required_matched_ratio=1.0) == Match("w", 1.0, True)
    assert matched(ours, theirs, required_matched_ratio=0.25).passed
    two = Reply((*ours.outputs, *ours.outputs), (), ())
    half = Reply((*ours.outputs, *theirs.outputs), (), ())
    assert matched(two, half) == Match("w", 0.25, False), "the worst of two outputs counts"


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_not_finite_fails_even_where_both_have_it(value: float) -> None:
    assert matched(reply(value, 1.0), reply(value, 1.0)) == Match("w", 0.0, False)


def test_negative_infinity_passes_on_both_sides_where_it_is_allowed() -> None:
    assert matched(reply(-math.inf, 1.0), reply(-math.inf, 1.0), allow_negative_inf=True).passed
    assert not matched(reply(-math.inf, 1.0), reply(1.0, 1.0), allow_negative_inf=True).passed


def test_zeros_throughout_another_shape_or_an_error_beyond_the_cap_fail_as_a_whole() -> None:
    assert matched(reply(1e-3, 1e-3), reply(0.0, 0.0)) == Match("w", 0.0, False)
    assert matched(reply(0.0, 0.0), reply(0.0, 0.0)).passed
    assert not matched(reply(1.0), reply(1.0, 1.0)).passed
    assert not matched(reply(1.0), reply(1.0, dtype="bfloat16")).passed
    assert not matched(reply(1.0, 1.0), reply(1.0, 1.5), required_matched_ratio=0.5, max_error_cap=0.4).passed
    assert matched(reply(1.0, 1.0), reply(1.0, 1.5), required_matched_ratio=0.5, max_error_cap=0.6).passed
