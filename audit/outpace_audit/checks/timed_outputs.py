"""L4: a secret sample of the timed calls' results equals what the same candidate returns for the same inputs in a
fresh process that is not being timed, and some of them are right: a candidate may tell one process from the next."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
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
    found = judge(evidence, NAME, "L4", nothing="no timed call was compared with truth")
    if not found.passed:
        return found
    said = f"{len(evidence.timed_samples)} secretly chosen timed calls; against truth: {found.evidence}"
    return Check(NAME, "L4", True, said, THRESHOLD)


CHECK = AuditCheck(NAME, "L4", check)
