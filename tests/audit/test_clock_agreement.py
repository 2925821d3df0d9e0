"""Claims of time beside the judge's clock, which hears late of a window's end where the machine is busy."""

from __future__ import annotations

import random

import pytest

from outpace_audit.checks import clock_agreement
from outpace_audit.checks.evidence import ClockReading, Evidence
from outpace_audit.records import Check, Code, Machine

CODE = Code("one.py", "def one(x):\n    return x\n", "one", "function")
MACHINE = Machine("cpu", "CPU", "0", "CPU", 2, "3.11", "2.13", None, None, None)


def checked(claimed: float, shares: list[tuple[float, float]]) -> Check:
    """`claimed`: what the candidate says of each second that its clock saw; `shares`: what the baseline's and its own
    clock see of a second outside."""
    evidence = Evidence(CODE, CODE, None, "tolerant", MACHINE, False)
    evidence.clocks = [ClockReading("a", ours, 1.0, claimed * theirs, 1.0) for ours, theirs in shares]
    return clock_agreement.CHECK.run(evidence)


def busy(windows: int) -> list[tuple[float, float]]:
    """As a machine of which others took nine tenths showed it; one side has the worse of it, by chance."""
    draw = random.Random(0)
    return [(draw.choice((0.6, 0.7, 0.8, 0.95)), draw.choice((0.4, 0.55, 0.75, 0.9))) for _ in range(windows)]


QUIET = [(0.990 + 0.001 * (i % 3), 0.990 + 0.001 * (i % 2)) for i in range(40)]


@pytest.mark.parametrize("claimed", [0.5, 0.85, 1.15, 2.0, 0.0, float("nan"), float("inf")])
def test_a_claim_that_disagrees_is_told_from_a_quiet_machines(claimed: float) -> None:
    assert checked(1.0, QUIET).passed
    assert not checked(claimed, QUIET).passed


def test_what_chance_may_do_on_a_busy_machine_is_no_claim() -> None:
    shares = busy(40)
    found = checked(1.0, shares)
    assert found.numbers["log_gap"] > clock_agreement.CLOCK_AGREEMENT
    assert found.passed


@pytest.mark.parametrize("claimed", [0.3, 3.0, 0.0])
def test_a_gross_claim_is_told_from_a_busy_machines_too(claimed: float) -> None:
    assert not checked(claimed, busy(40)).passed
