"""L4, once a gain is proven: compute-sanitizer sees no kernel of the candidate read or write beside a tensor."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "memory-errors"
THRESHOLD = "none that the baseline's kernels have not"


def check(evidence: Evidence) -> Check:
    seen = evidence.memory
    if seen is None:
        return Check(NAME, "L4", True, "not looked at", THRESHOLD)
    numbers = {"calls": seen.calls, "seconds": seen.seconds}
    if seen.report and not seen.inherited:
        return Check(NAME, "L4", False, seen.report, THRESHOLD, numbers)
    said = "the baseline has them too: " + seen.report if seen.report else f"none in {seen.calls} calls"
    said = f"{said}; {seen.not_seen}" if seen.not_seen and seen.calls else seen.not_seen or said
    return Check(NAME, "L4", True, said, THRESHOLD, numbers)


CHECK = AuditCheck(NAME, "L4", check)
