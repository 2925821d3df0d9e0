"""L3: new values in the storage of an earlier call give new results, and so does another instance of a module: nothing
is remembered by address, or for all instances together."""

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
            return Check(NAME, "L3", False, f"{repeat.label}: {problem}", THRESHOLD)
    seen = f"{len(evidence.reused)} calls, with new values at old addresses or of another instance"
    return Check(NAME, "L3", True, seen, THRESHOLD)


CHECK = AuditCheck(NAME, "L3", check)
