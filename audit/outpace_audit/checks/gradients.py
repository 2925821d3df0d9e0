"""L2: gradients of inputs and parameters under secret cotangents, within the baseline's own error against truth.
Also the buffers that a training call updates."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, Tally, compare, with_redraws
from outpace_audit.checks.outputs import NOTHING
from outpace_audit.compare import rms, zero_scales
from outpace_audit.records import Check
from outpace_audit.sides import LeafView

NAME = "gradients-against-truth"

SATURATED = 4.0
"""Times WIDE_ROUNDINGS for gradients at other magnitudes. Fused attention recomputes a softmax as exp(score - log of
the sum), where scores of 200 cost 200 roundings; 260 were measured (at the 90% quantile, whose limit is half of the
floor). TF32 still commits more."""


def check(evidence: Evidence) -> Check:
    tally = Tally(NAME, "L2")
    for seen in evidence.observations:
        gradients = compare_gradients if seen.probe == "fresh" else _saturated
        tally.add(seen.magnitude, [*with_redraws(seen, gradients), *compare_buffers(seen)])
    if not tally.found:
        return Check(NAME, "L2", True, "the target does not train: forward only")
    return tally.verdict(f"{len(tally.found)} gradients and buffers in {len(evidence.observations)} calls")


def _saturated(seen: Observation) -> list[Comparison]:
    return [replace(one, leeway=SATURATED) for one in compare_gradients(seen, by_row=False)]


def compare_gradients(
    seen: Observation, *, by_row: bool = True, least: Mapping[str, float] = NOTHING, none_is_nought: bool = False
) -> list[Comparison]:
    """`least`: by path, see compare_outputs. `by_row`: an error counts by the size of its row; else by that of the
    whole gradient, for inputs at which rows vanish but for rounding (a softmax over one element, or one that large
    inputs saturate). `none_is_nought`: None on one side and nothing but zeros on the other are the same, as of a loop
    that makes no step (in declared calls they are not: an optimizer's decay of weights tells them apart)."""
    ours, theirs = seen.baseline.gradients, seen.candidate.gradients
    if len(ours) != len(theirs):
        return [Comparison("gradients", problem=f"{len(theirs)} of them, the baseline has {len(ours)}")]
    truths = seen.truth.gradients if seen.truth else (None,) * len(ours)
    present = [truth.tensor for truth in truths if truth is not None and truth.tensor is not None]
    zeros = zero_scales(present)
    scales = iter(zeros if by_row else [zero or rms(truth) for zero, truth in zip(zeros, present, strict=True)])
    return [
        _one(
            truth,
            a,
            b,
            seen,
            i,
            max(next(scales), least.get(a.path, 0.0)) if truth is not None and truth.tensor is not None else 0.0,
            none_is_nought,
        )
        for i, (truth, a, b) in enumerate(zip(truths, ours, theirs, strict=True))
    ]


def _one(
    truth: LeafView | None,
    ours: LeafView,
    theirs: LeafView,
    seen: Observation,
    i: int = 0,
    least: float = 0.0,
    none_is_nought: bool = False,
) -> Comparison:
    """The gradient at place `i`, or without truth a buffer. Of an input's gradient rows may vanish but for rounding (of
    the first query under a causal mask, which sees one key); a parameter's stay zero, since optimizers divide by their
    size."""
    if ours.tensor is None or theirs.tensor is None:
        may_lack = none_is_nought or _is_empty(seen)
        alike = ours.tensor is theirs.tensor or (may_lack and _nothing(ours) and _nothing(theirs))
        return Comparison(ours.path, problem="" if alike else "exists on one side only", exact=alike)
    return compare(
        ours.path,
        truth.tensor if truth else None,
        ours.tensor,
        theirs.tensor,
        nudged=lambda: (moved := seen.nudged()) and moved.gradients[i].tensor,
        shaken=lambda: [t for moved in seen.shaken() if (t := moved.gradients[i].tensor) is not None],
        least=least,
        vanishes=ours.path.startswith("gradient of input"),
    )


def _is_empty(seen: Observation) -> bool:
    """Nothing came out: torch gives some gradients as None then, and others as zeros."""
    return all(leaf.tensor is None or leaf.tensor.numel() == 0 for leaf in seen.baseline.outputs)


def _nothing(leaf: LeafView) -> bool:
    return leaf.tensor is None or not bool(leaf.tensor.any())


def compare_buffers(seen: Observation) -> list[Comparison]:
    theirs = {leaf.path: leaf for leaf in seen.candidate.buffers}
    return [_one(None, leaf, theirs[leaf.path], seen) for leaf in seen.baseline.buffers if leaf.path in theirs]


CHECK = AuditCheck(NAME, "L2", check)
