"""L2: gradients of inputs and parameters under secret cotangents, within the baseline's own error against truth.
Also the buffers that a training call updates."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, Tally, compare
from outpace_audit.compare import zero_scales
from outpace_audit.records import Check
from outpace_audit.sides import LeafView

NAME = "gradients-against-truth"


def check(evidence: Evidence) -> Check:
    tally = Tally(NAME, "L2")
    for seen in evidence.observations:
        tally.add(seen.magnitude, [*_gradients(seen), *_buffers(seen)])
    if not tally.found:
        return Check(NAME, "L2", True, "the target does not train: forward only")
    return tally.verdict(f"{len(tally.found)} gradients and buffers in {len(evidence.observations)} calls")


def _gradients(seen: Observation) -> list[Comparison]:
    ours, theirs = seen.baseline.gradients, seen.candidate.gradients
    if len(ours) != len(theirs):
        return [Comparison("gradients", problem=f"{len(theirs)} of them, the baseline has {len(ours)}")]
    truths = seen.truth.gradients if seen.truth else (None,) * len(ours)
    nudged = seen.nudged.gradients if seen.nudged else (None,) * len(ours)
    present = [truth.tensor for truth in truths if truth is not None and truth.tensor is not None]
    scales = iter(zero_scales(present))
    return [
        _one(truth, a, b, near, next(scales) if truth is not None and truth.tensor is not None else 0.0)
        for truth, near, a, b in zip(truths, nudged, ours, theirs, strict=True)
    ]


def _one(
    truth: LeafView | None,
    ours: LeafView,
    theirs: LeafView,
    nudged: LeafView | None = None,
    least: float = 0.0,
) -> Comparison:
    if ours.tensor is None or theirs.tensor is None:
        missing = "" if ours.tensor is theirs.tensor else "exists on one side only"
        return Comparison(ours.path, problem=missing, exact=not missing)
    return compare(
        ours.path,
        truth.tensor if truth else None,
        ours.tensor,
        theirs.tensor,
        nudged=nudged.tensor if nudged else None,
        least=least,
    )


def _buffers(seen: Observation) -> list[Comparison]:
    theirs = {leaf.path: leaf for leaf in seen.candidate.buffers}
    return [_one(None, leaf, theirs[leaf.path]) for leaf in seen.baseline.buffers if leaf.path in theirs]


CHECK = AuditCheck(NAME, "L2", check)
