"""L1: the candidate changes no input and no buffer that the baseline leaves alone."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "input-mutation"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        changed = set(seen.candidate.mutated) - set(seen.baseline.mutated)
        if changed:
            return Check(NAME, "L1", False, f"{seen.label}: the candidate wrote to input {min(changed)}")
        forgotten = set(seen.baseline.mutated) - set(seen.candidate.mutated)
        if forgotten:
            return Check(
                NAME,
                "L1",
                False,
                f"{seen.label}: the baseline updates input {min(forgotten)}, the candidate does not",
            )
    return Check(
        NAME,
        "L1",
        True,
        f"inputs unchanged byte for byte in {len(evidence.observations)} calls",
        threshold="the same inputs as the baseline, normally none",
    )


CHECK = AuditCheck(NAME, "L1", check)
