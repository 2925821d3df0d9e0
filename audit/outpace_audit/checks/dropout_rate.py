"""L2: in training mode, with dropout as declared, the candidate drops as much as the baseline and scales the rest so.

Five numbers of each output y in each run, z being the baseline's result without dropout: the share of exact zeros,
the projection <y, z> / <z, z>, the squared distance |y - z|^2 / |z|^2, and how unevenly that distance is spread over
rows and over columns, which a mask that is shared along one of them shows; and over the sums along each further
dimension, which show a mask that is shared along that, by the images of a batch. Their means over runs are compared by
Welch's t test. Under one seed of torch's generators both drop the same elements twice, under another one others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from statistics import fmean, variance

import torch

from outpace_audit.checks.evidence import AuditCheck, DroppedRuns, Evidence, Repeat
from outpace_audit.checks.probes import failure_of
from outpace_audit.checks.repeats import difference
from outpace_audit.records import Check
from outpace_audit.sides import Reply
from outpace_audit.stats import student_t_quantile
from outpace_audit.thresholds import DROP_ALPHA

NAME = "dropout-rate"

STATISTICS = (
    "zeros",
    "projection on the result without dropout",
    "distance from the result without dropout",
    "unevenness of that distance over rows",
    "unevenness of that distance over columns",
)
SLACK = 0.02
"""Relative difference that is never a finding: a kernel that compares eight random bits turns a rate of 0.1 into
26/256, and the distance moves by 1.7%."""
NOTHING = 1e-6
"""A share or distance that is rounding."""

THRESHOLD = f"equal means at a two-sided {DROP_ALPHA:g} level"


def check(evidence: Evidence) -> Check:
    failure = failure_of(evidence, NAME)
    if failure:
        return Check(NAME, "L2", False, failure, THRESHOLD)
    if not evidence.drops:
        return Check(NAME, "L2", True, "no dropout")
    shown: list[str] = []
    for runs in evidence.drops:
        problem = _unrepeated(runs) or _unseeded(runs)
        if problem:
            return Check(NAME, "L2", False, f"{runs.workload}: {problem}", THRESHOLD)
        for text, passed in _compared(runs):
            if not passed:
                return Check(NAME, "L2", False, f"{runs.workload}: {text}", THRESHOLD)
            shown.append(text)
    count = sum(len(runs.candidate) for runs in evidence.drops)
    return Check(NAME, "L2", True, f"{count} runs with dropout: {shown[0] if shown else 'no floats'}", THRESHOLD)


def _unrepeated(runs: DroppedRuns) -> str:
    """What drops other elements under the same seed, or nothing; only where the baseline drops the same."""
    ours, theirs = runs.repeated
    if difference(Repeat("", ours, runs.baseline[0])):
        return ""
    problem = difference(Repeat("", theirs, runs.candidate[0]))
    return f"two runs under one seed differ, the baseline's do not: {problem}" if problem else ""


def _unseeded(runs: DroppedRuns) -> str:
    """What drops the same elements under every seed, or nothing; only where each seed has the baseline drop others."""

    def moves(replies: Sequence[Reply]) -> list[bool]:
        return [bool(difference(Repeat("", other, replies[0]))) for other in replies[1:]]

    settled = all(moves(runs.baseline)) and not any(moves(runs.candidate))
    return "runs under different seeds drop the same elements, the baseline's do not" if settled else ""


def _compared(runs: DroppedRuns) -> Iterator[tuple[str, bool]]:
    for i, leaf in enumerate(runs.still.outputs):
        if leaf.tensor is None or not leaf.tensor.is_floating_point() or leaf.tensor.numel() == 0:
            continue
        ours, theirs = (_statistics(leaf.tensor, side, i) for side in (runs.baseline, runs.candidate))
        if len(theirs) != len(ours):
            yield f"{leaf.path}: another shape with dropout", False
            continue
        names = [*STATISTICS, *(f"unevenness of its sums along dimension {d}" for d in _further(leaf.tensor))]
        for name, a, b in zip(names, zip(*ours, strict=True), zip(*theirs, strict=True), strict=True):
            yield f"{leaf.path}: {name} {fmean(b):.4g}, the baseline's {fmean(a):.4g}", _equal(a, b)


def _statistics(still: torch.Tensor, replies: Sequence[Reply], i: int) -> list[tuple[float, ...]]:
    z = still.double()
    size = float(z.square().sum()) or 1.0
    found: list[tuple[float, ...]] = []
    for reply in replies:
        y = reply.outputs[i].tensor if i < len(reply.outputs) else None
        if y is not None and y.shape == z.shape:
            y = y.double()
            zeros, apart = (y == 0).double().mean(), (y - z).square()
            sums = [_sums(apart, rows=True), _sums(apart, rows=False), *(apart.sum(dim=d) for d in _further(apart))]
            spread = map(_unevenness, sums)
            found.append((float(zeros), float((y * z).sum()) / size, float(apart.sum()) / size, *spread))
    return found


def _further(tensor: torch.Tensor) -> range:
    """Dimensions along which sums are neither those over rows nor those over columns."""
    return range(tensor.dim() - 1 if tensor.dim() > 2 else 0)


def _sums(squares: torch.Tensor, *, rows: bool) -> torch.Tensor:
    """Over rows (or columns), the last dimension being along a row."""
    return squares.reshape(-1, squares.shape[-1] if squares.dim() else 1).sum(dim=1 if rows else 0)


def _unevenness(sums: torch.Tensor) -> float:
    """Mean square over squared mean; 1 where all are alike."""
    mean = float(sums.mean())
    return float(sums.square().mean()) / mean**2 if mean > 0 else 1.0


def _equal(ours: Sequence[float], theirs: Sequence[float]) -> bool:
    n = len(ours)
    gap = abs(fmean(ours) - fmean(theirs))
    if not math.isfinite(gap):
        return False
    error = math.sqrt((variance(ours) + variance(theirs)) / n)
    limit = student_t_quantile(1 - DROP_ALPHA / 2, n - 1) * error
    return gap <= limit + SLACK * abs(fmean(ours)) + NOTHING


CHECK = AuditCheck(NAME, "L2", check)
