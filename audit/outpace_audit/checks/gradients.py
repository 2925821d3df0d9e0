"""L2: gradients of inputs and parameters under secret cotangents, within the baseline's own error against truth.
Also the buffers that a training call updates."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, compare_to_truth
from outpace_audit.checks.outputs import THRESHOLD
from outpace_audit.records import Check
from outpace_audit.sides import LeafView

NAME = "gradients-against-truth"


def check(evidence: Evidence) -> Check:
    worst, shown, count = 0.0, "same bits as the baseline", 0
    for seen in evidence.observations:
        for path, comparison in [*_gradients(seen), *_buffers(seen)]:
            count += 1
            if not comparison.passed:
                return Check(NAME, "L2", False, f"{seen.label}: {path}: {comparison.text}", THRESHOLD,
                             {"ratio": comparison.ratio, "seed": seen.seed})
            if comparison.ratio >= worst:
                worst, shown = comparison.ratio, comparison.text
    if not count:
        return Check(NAME, "L2", True, "the target does not train: forward only")
    return Check(NAME, "L2", True, f"{count} gradients and buffers; worst: {shown}", THRESHOLD, {"ratio": worst})


def _gradients(seen: Observation) -> list[tuple[str, Comparison]]:
    ours, theirs = seen.baseline.gradients, seen.candidate.gradients
    if len(ours) != len(theirs):
        return [("gradients", Comparison(False, float("inf"), f"{len(theirs)} gradients, the baseline has {len(ours)}"))]
    truths = seen.truth.gradients if seen.truth else (None,) * len(ours)
    return [_one(truth, a, b) for truth, a, b in zip(truths, ours, theirs, strict=True)]


def _one(truth: LeafView | None, ours: LeafView, theirs: LeafView) -> tuple[str, Comparison]:
    if ours.tensor is None or theirs.tensor is None:
        same = ours.tensor is None and theirs.tensor is None
        return ours.path, Comparison(same, 0.0 if same else float("inf"), "exists on one side only" if not same else "none")
    if ours.tensor.shape != theirs.tensor.shape or ours.dtype != theirs.dtype:
        return ours.path, Comparison(False, float("inf"), f"{theirs.dtype}{theirs.shape}, the baseline's {ours.dtype}{ours.shape}")
    return ours.path, compare_to_truth(truth.tensor if truth else None, ours.tensor, theirs.tensor)


def _buffers(seen: Observation) -> list[tuple[str, Comparison]]:
    theirs = {leaf.path: leaf for leaf in seen.candidate.buffers}
    return [_one(None, leaf, theirs[leaf.path]) for leaf in seen.baseline.buffers if leaf.path in theirs]


CHECK = AuditCheck(NAME, "L2", check)
