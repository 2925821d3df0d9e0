"""L1: what draws random numbers draws as many of them as the baseline: the next that a caller draws is the same one."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "random-draws"
OTHERS = "draws other random numbers than the baseline"


def check(evidence: Evidence) -> Check:
    if not evidence.draws:
        return Check(NAME, "L1", True, "the baseline draws no random numbers")
    for seen in evidence.observations:
        if seen.candidate.generator != seen.baseline.generator:
            said = f"{seen.label}: {OTHERS}: the call leaves the generator in another state"
            return Check(NAME, "L1", False, said, threshold=SAME)
    return Check(NAME, "L1", True, f"the generator is left where the baseline leaves it ({evidence.draws})", SAME)


SAME = "the same state of the generators after each call"

CHECK = AuditCheck(NAME, "L1", check)
