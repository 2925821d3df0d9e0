"""L3: new values in the storage of an earlier call give new results: nothing is remembered by address."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import failure_of
from outpace_audit.checks.repeats import THRESHOLD, difference
from outpace_audit.records import Check

NAME = "stale-results"


def check(evidence: Evidence) -> Check:
    failure = failure_of(evidence, NAME)
    if failure:
        return Check(NAME, "L3", False, failure)
    for repeat in evidence.reused:
        problem = difference(repeat)
        if problem:
            return Check(NAME, "L3", False, f"{repeat.label}: new values at an old address: {problem}", THRESHOLD)
    return Check(NAME, "L3", True, f"{len(evidence.reused)} calls with new values at old addresses", THRESHOLD)


CHECK = AuditCheck(NAME, "L3", check)
