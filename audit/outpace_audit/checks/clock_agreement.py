"""L4: the time that the candidate's process claims agrees with the judge's outside clock. The outside clock decides
in any case; a claim that disagrees means that something in there has been patched."""

from __future__ import annotations

import math

from outpace_audit.checks.evidence import AuditCheck, ClockReading, Evidence
from outpace_audit.records import Check
from outpace_audit.stats import median
from outpace_audit.thresholds import CLOCK_AGREEMENT

NAME = "clock-agreement"
THRESHOLD = f"within a factor of {math.exp(CLOCK_AGREEMENT):.2f} of the baseline's own agreement, beyond their scatter"
SCATTER = 4 * 1.4826
"""Standard errors, of a median absolute deviation: on a busy machine the judge hears of a window's end late, by chance
more often of one side's."""


def check(evidence: Evidence) -> Check:
    worst = 0.0
    for workload in dict.fromkeys(reading.workload for reading in evidence.clocks):
        gaps = [_gap(reading) for reading in evidence.clocks if reading.workload == workload]
        gap = median(gaps)
        if not abs(gap) <= CLOCK_AGREEMENT + _scatter(gaps, gap):
            return Check(
                NAME,
                "L4",
                False,
                f"{workload}: the candidate claims {math.exp(gap):.2g} x the time that passed outside",
                THRESHOLD,
                {"log_gap": gap},
            )
        worst = max(worst, abs(gap))
    return Check(
        NAME,
        "L4",
        True,
        f"claimed and outside time differ by {math.expm1(worst):.1%} at most",
        THRESHOLD,
        {"log_gap": worst},
    )


def _scatter(gaps: list[float], middle: float) -> float:
    """By which chance may move their median; 0 where a claim is no time."""
    if not math.isfinite(middle):
        return 0.0
    return SCATTER * median([abs(one - middle) for one in gaps]) / math.sqrt(len(gaps))


def _gap(reading: ClockReading) -> float:
    """log of (claim / outside) of the candidate over the baseline's; infinite for a claim that is not a time."""
    if not reading.candidate_claim > 0 or not math.isfinite(reading.candidate_claim):
        return math.inf
    candidate = math.log(reading.candidate_claim / reading.candidate_outside)
    return candidate - math.log(reading.baseline_claim / reading.baseline_outside)


CHECK = AuditCheck(NAME, "L4", check)
