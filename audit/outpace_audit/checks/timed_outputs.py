"""L4: a secret sample of the timed calls' results equals what the same candidate returns for the same inputs in a
fresh process that is not being timed. (Whether that is right, L2 has decided.)"""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.repeats import THRESHOLD, difference
from outpace_audit.records import Check

NAME = "timed-outputs"


def check(evidence: Evidence) -> Check:
    for repeat in evidence.timed_samples:
        problem = difference(repeat)
        if problem:
            return Check(
                NAME,
                "L4",
                False,
                f"{repeat.label}: a timed call did not do what the checked calls do: {problem}",
                THRESHOLD,
            )
    return Check(NAME, "L4", True, f"{len(evidence.timed_samples)} secretly chosen timed calls", THRESHOLD)


CHECK = AuditCheck(NAME, "L4", check)
