"""L1: no output shares memory with an input, a parameter, another output or an earlier call's output, unless the
baseline's does. (A graph-replayed or static output buffer is overwritten by the next call.)"""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.records import Check

NAME = "aliasing"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        shared = new_alias(seen)
        if shared:
            return Check(NAME, "L1", False, f"{seen.label}: {shared}")
    return Check(
        NAME,
        "L1",
        True,
        f"outputs own their memory in {len(evidence.observations)} calls",
        threshold="only what the baseline shares too",
    )


def new_alias(seen: Observation) -> str:
    """What shares memory with what in one call of the candidate's and not in the baseline's, or nothing."""
    new = set(seen.candidate.aliases) - set(seen.baseline.aliases)
    return "{} shares memory with {}".format(*min(new)) if new else ""


CHECK = AuditCheck(NAME, "L1", check)
