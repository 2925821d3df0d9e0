"""L1: no output shares memory with an input, a parameter, another output or an earlier call's output, unless the
baseline's does. (A graph-replayed or static output buffer is overwritten by the next call.)"""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "aliasing"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        new = set(seen.candidate.aliases) - set(seen.baseline.aliases)
        if new:
            output, owner = min(new)
            return Check(NAME, "L1", False, f"{seen.label}: {output} shares memory with {owner}")
    return Check(
        NAME,
        "L1",
        True,
        f"outputs own their memory in {len(evidence.observations)} calls",
        threshold="only what the baseline shares too",
    )


CHECK = AuditCheck(NAME, "L1", check)
