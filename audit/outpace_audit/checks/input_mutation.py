"""L1: the candidate changes no input and no parameter that the baseline leaves alone."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check
from outpace_audit.sides import Reply

NAME = "input-mutation"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        ours, theirs = written(seen.baseline), written(seen.candidate)
        if theirs - ours:
            return Check(NAME, "L1", False, f"{seen.label}: the candidate wrote to {min(theirs - ours)}")
        if ours - theirs:
            said = f"{seen.label}: the baseline updates {min(ours - theirs)}, the candidate does not"
            return Check(NAME, "L1", False, said)
    return Check(
        NAME,
        "L1",
        True,
        f"inputs and parameters unchanged byte for byte in {len(evidence.observations)} calls",
        threshold="what the baseline writes to as well, normally nothing",
    )


def written(reply: Reply) -> set[str]:
    return {*(f"input {i}" for i in reply.mutated), *(f"parameter {name}" for name in reply.worn)}


CHECK = AuditCheck(NAME, "L1", check)
