"""L2: every argument whose change alone moves the baseline's result moves the candidate's, and to the same place: masks
that are always ones, an eps, a flag, a branch with small weights. Nor is an argument handed back where nothing is to be
done to it."""

from __future__ import annotations

from outpace_audit.checks.aliasing import new_alias
from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation, Probe
from outpace_audit.checks.gradients import compare_buffers
from outpace_audit.checks.numerics import Comparison, recurring
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check
from outpace_audit.scout import finite
from outpace_audit.sides import same_leaves

NAME = "argument-impact"

AVERAGES = ("div", "mean")
"""Operators that make NaN of finite numbers: of a sum and a count of nothing."""


def check(evidence: Evidence) -> Check:
    return judge(
        evidence,
        NAME,
        "L2",
        nothing="no argument could be changed alone",
        may_refuse=True,
        compare=_compare,
        special=_special,
    )


def _compare(seen: Observation) -> list[Comparison]:
    """Where rows recur, roundings add up; labels that mean none may be for statistics alone. Of what is no number only
    an average of nothing is compared."""
    how = (seen.request.get("change") or {}).get("how")
    if how == "alike" and _is_undefined(seen):
        return []
    found = compare_outputs(seen)
    if how in ("neared", "equalled", "alike"):
        return recurring(found)
    return [*found, *compare_buffers(seen)] if how == "ignored" else found


def _is_undefined(seen: Observation) -> bool:
    """Whether a result is no number for another reason than that an average has no element."""
    return not finite(seen.baseline) and (seen.truth is None or seen.truth.undefined not in AVERAGES)


def _special(probe: Probe, seen: Observation) -> str:
    return _ignored(seen) or new_alias(seen)


def _ignored(seen: Observation) -> str:
    if seen.unchanged is None:
        return ""
    ours, theirs = seen.unchanged
    moves = not same_leaves(ours.outputs, seen.baseline.outputs)  # under these values, too
    ignored = moves and same_leaves(theirs.outputs, seen.candidate.outputs)
    return "the baseline's result moves, the candidate's does not" if ignored else ""


CHECK = AuditCheck(NAME, "L2", check)
