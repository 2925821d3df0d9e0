"""Results under the tolerance that a benchmark's workload declares: SOL-ExecBench's rule, which decides no verdict."""

from __future__ import annotations

import torch

from outpace_audit.records import Match, Tolerance
from outpace_audit.sides import LeafView, Reply


def match(workload: str, ours: Reply, theirs: Reply, tolerance: Tolerance) -> Match:
    """Of the output that matches worst, as far as outputs were read: large ones in secretly chosen rows."""
    found = [
        _share(mine.tensor, other.tensor, tolerance)
        for mine, other in zip(ours.outputs, theirs.outputs, strict=False)
        if mine.tensor is not None and other.tensor is not None
    ]
    share = min(found, default=1.0)
    same = len(ours.outputs) == len(theirs.outputs) and all(map(_alike, ours.outputs, theirs.outputs))
    return Match(workload, share, same and share >= tolerance.required_matched_ratio)


def _alike(mine: LeafView, other: LeafView) -> bool:
    return (mine.shape, mine.dtype) == (other.shape, other.dtype)


def _share(mine: torch.Tensor, other: torch.Tensor, tolerance: Tolerance) -> float:
    """Of the elements, those within atol + rtol * |reference|; none where the benchmark fails an output as a whole."""
    if mine.shape != other.shape:
        return 0.0
    a, b = other.to(torch.float32), mine.to(torch.float32)
    if tolerance.allow_negative_inf:
        both = torch.isneginf(a) & torch.isneginf(b)
        a, b = a.masked_fill(both, 0.0), b.masked_fill(both, 0.0)
    if not bool(torch.isfinite(a).all() and torch.isfinite(b).all()):
        return 0.0
    if not bool(a.any()) and bool(b.any()):
        return 0.0
    off = (a - b).abs()
    if tolerance.max_error_cap is not None and off.numel() and float(off.max()) > tolerance.max_error_cap:
        return 0.0
    within = off <= tolerance.max_atol + tolerance.max_rtol * b.abs()
    return float(within.double().mean()) if within.numel() else 1.0
