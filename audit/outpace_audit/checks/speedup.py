"""L4: the candidate is faster: the lower bound of the mean over fresh process pairs, and no workload slower."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check, Timing
from outpace_audit.thresholds import AS_CALLED_WORST, FOREIGN_SHARE, MIN_GAIN, WORST_WORKLOAD

NAME = "speedup"


def check(evidence: Evidence) -> Check:
    assert evidence.geomean is not None, "runs after the confirmation"
    needed = 1 + MIN_GAIN[evidence.machine.device]
    threshold = f"lower bound above {needed:.2f}, no workload below {WORST_WORKLOAD:.2f}"
    mean = evidence.geomean
    text = f"{mean.speedup:.3f}x [{mean.interval[0]:.3f}, {mean.interval[1]:.3f}] over {mean.pairs} fresh process pairs"
    if evidence.foreign_share > FOREIGN_SHARE:
        text += f", while other programs used up to {evidence.foreign_share:.0%} of the processors"
    numbers = {
        "needed": needed,
        "speedup": mean.speedup,
        "interval": list(mean.interval),
        "confidence": mean.confidence,
    }
    if not mean.interval[0] > needed:
        return Check(NAME, "L4", False, f"not proven faster: {text}", threshold, numbers)
    slow = [t for t in evidence.timings if t.speedup < WORST_WORKLOAD]
    if slow:
        return Check(NAME, "L4", False, f"slower on {_named(slow)}", threshold, numbers)
    slow = [t for t in evidence.as_called if t.interval[1] < AS_CALLED_WORST]
    if slow:
        return Check(NAME, "L4", False, f"slower when called without a graph: {_named(slow)}", threshold, numbers)
    return Check(NAME, "L4", True, text, threshold, numbers)


def _named(timings: list[Timing]) -> str:
    worst = min(timings, key=lambda timing: timing.speedup)
    return f"{worst.workload}: {worst.speedup:.2f}x"


CHECK = AuditCheck(NAME, "L4", check)
