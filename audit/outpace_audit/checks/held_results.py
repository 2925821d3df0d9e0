"""L3: results stay what they were while later calls are made: many calls in a row, all results held, and secret
elements of each read on return and again at the end. A ring of buffers, which `aliasing` does not see, shows here."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import failure_of
from outpace_audit.records import Check

NAME = "held-results"
THRESHOLD = "same bytes at the end, or overwritten by the baseline's later calls too"


def check(evidence: Evidence) -> Check:
    failure = failure_of(evidence, NAME)
    if failure:
        return Check(NAME, "L3", False, failure)
    for seen in evidence.held:
        if seen.overwritten:
            call, path = seen.overwritten[0]
            said = f"{seen.workload}: {path} of call {call} of {seen.calls} held something else after the last call"
            return Check(NAME, "L3", False, said, THRESHOLD)
    calls = sum(seen.calls for seen in evidence.held)
    return Check(NAME, "L3", True, f"the results of {calls} calls in a row, read again after the last", THRESHOLD)


CHECK = AuditCheck(NAME, "L3", check)
