"""Shared by the numeric checks: one tensor against truth within the baseline's own error."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from outpace_audit.compare import ErrorProfile, bitwise_equal, error_profile, within_budget
from outpace_audit.sides import LeafView
from outpace_audit.thresholds import ERROR_BUDGET

UNLIFTED_SLACK = 16.0
"""Where no truth can be had, the baseline stands in for it and the candidate may differ from it by this many roundings
of the output type; the verdict says so."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """`ratio` is the candidate's worst error statistic over what it may be."""

    passed: bool
    ratio: float
    text: str


def compare_to_truth(
    truth: torch.Tensor | None, baseline: torch.Tensor, candidate: torch.Tensor,
) -> Comparison:
    """Floating tensors by error budget, others exactly."""
    if bitwise_equal(baseline, candidate):
        return Comparison(True, 0.0, "same bits as the baseline")
    if not candidate.is_floating_point() and not candidate.is_complex():
        wrong = int((baseline != candidate).sum())
        return Comparison(False, float("inf"), f"{wrong} of {candidate.numel()} values differ from the baseline's")
    dtype = candidate.dtype
    if truth is None:
        profile = error_profile(candidate, baseline)
        limit = UNLIFTED_SLACK * torch.finfo(dtype).eps
        ratio = profile.max / limit if not profile.nonfinite else float("inf")
        return Comparison(ratio <= 1, ratio, f"max difference {profile.max:.2e} from the baseline (no truth), limit {limit:.1e}")
    return compare_profiles(error_profile(candidate, truth, baseline), error_profile(baseline, truth, baseline), dtype)


def compare_profiles(theirs: ErrorProfile, ours: ErrorProfile, dtype: torch.dtype) -> Comparison:
    """The candidate's error statistics within the budget that the baseline's set."""
    if theirs.nonfinite:
        return Comparison(False, float("inf"), f"{theirs.nonfinite} values are NaN or infinite where truth is not, or the reverse")
    budget = within_budget(theirs, ours, dtype, ERROR_BUDGET)
    text = f"error {getattr(theirs, budget.which):.2e} at {budget.which}, the baseline's {getattr(ours, budget.which):.2e}"
    return Comparison(budget.passed, budget.worst_ratio, text)


def pairs_of(ours: tuple[LeafView, ...], theirs: tuple[LeafView, ...]) -> list[tuple[LeafView, LeafView]]:
    """Leaves side by side; the contract check has already compared their number and kind."""
    return [(a, b) for a, b in zip(ours, theirs, strict=False) if a.tensor is not None and b.tensor is not None]
