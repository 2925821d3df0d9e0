"""L1: the candidate changes no input, no parameter and no incoming gradient that the baseline leaves alone, and what
both change it changes where autograd and whoever caches by versions can see it."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.records import Check
from outpace_audit.sides import Reply

NAME = "input-mutation"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        problem = wrong_writes(seen)
        if problem:
            return Check(NAME, "L1", False, f"{seen.label}: {problem}")
    return Check(
        NAME,
        "L1",
        True,
        f"inputs and parameters unchanged byte for byte in {len(evidence.observations)} calls",
        threshold="what the baseline writes to as well, normally nothing",
    )


def wrong_writes(seen: Observation) -> str:
    """What one side of a call wrote to and the other did not, or nothing."""
    ours, theirs = written(seen.baseline), written(seen.candidate)
    if theirs - ours:
        return f"the candidate wrote to {min(theirs - ours)}"
    if ours - theirs:
        return f"the baseline updates {min(ours - theirs)}, the candidate does not"
    unseen = sorted({*seen.candidate.unmarked} - {*seen.baseline.unmarked})
    if not unseen:
        return ""
    return (
        f"the candidate writes to input {unseen[0]} and its version counter stands still, by which autograd and caches "
        "tell old values from new ones: write by torch's operations, or call torch.autograd.graph.increment_version"
    )


def written(reply: Reply) -> set[str]:
    return {
        *(f"input {i}" for i in reply.mutated),
        *(f"parameter {name}" for name in reply.worn),
        *(f"the gradient that flows into result {i}" for i in reply.spoiled),
    }


CHECK = AuditCheck(NAME, "L1", check)
