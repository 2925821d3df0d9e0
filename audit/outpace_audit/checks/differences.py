"""How far the candidate's outputs are from the baseline's own, in the words of public benchmarks. Decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from outpace_audit.checks.evidence import Observation

SMALL = 1e-2
"""A relative difference divides by the larger of this and |baseline|: SOL-ExecBench's default absolute tolerance."""


def differences(observations: Sequence[Observation]) -> dict[str, dict[str, Any]]:
    """By workload, the largest over its calls on fresh inputs, as far as outputs were read: large ones in part."""
    found: dict[str, dict[str, Any]] = {}
    for seen in observations:
        if seen.probe != "fresh":
            continue
        entry = found.setdefault(
            seen.workload,
            {"max_absolute_error": 0.0, "max_relative_error": 0.0, "has_nan": False, "has_inf": False},
        )
        for ours, theirs in zip(seen.baseline.outputs, seen.candidate.outputs, strict=False):
            if ours.tensor is not None and theirs.tensor is not None and ours.tensor.shape == theirs.tensor.shape:
                _add(entry, ours.tensor, theirs.tensor)
    return found


def _add(entry: dict[str, Any], ours: torch.Tensor, theirs: torch.Tensor) -> None:
    wide = torch.complex128 if ours.is_complex() or theirs.is_complex() else torch.float64
    ours, theirs = ours.to(wide), theirs.to(wide)
    entry["has_nan"] |= bool(torch.isnan(theirs).any())
    entry["has_inf"] |= bool(torch.isinf(theirs).any())
    both = torch.isfinite(ours) & torch.isfinite(theirs)
    if bool(both.any()):
        off = (ours - theirs)[both].abs()
        relative = off / ours[both].abs().clamp(min=SMALL)
        entry["max_absolute_error"] = max(entry["max_absolute_error"], float(off.max()))
        entry["max_relative_error"] = max(entry["max_relative_error"], float(relative.max()))
