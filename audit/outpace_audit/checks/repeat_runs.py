"""L3: the same inputs again give the same result, as far as the baseline's do. Sums in a changing order (atomics) are
allowed; a race, or noise that hides inside the error budget, is not."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from outpace_audit.checks.evidence import AuditCheck, Evidence, RepeatedRuns
from outpace_audit.checks.probes import failure_of
from outpace_audit.compare import ErrorProfile, bitwise_equal, error_profile, pool, zero_scales
from outpace_audit.records import Check
from outpace_audit.sides import LeafView, Reply
from outpace_audit.tensors import is_inexact
from outpace_audit.thresholds import ERROR_BUDGET

NAME = "repeat-runs"

WIDE = {"q50": 16.0, "max": 64.0}
NARROW = {"q50": 1.0, "max": 4.0}
"""Roundings by which the median and the largest element may move, whatever the baseline's do. A sum of 2,000 terms in
random order moves by 14 fp32 roundings in the median (0.3 sqrt(n)); for a narrow type it is rounded once at its end."""

THRESHOLD = (
    f"at most {ERROR_BUDGET:g} x the baseline's own spread or error, or {WIDE['q50']:g} roundings in the median "
    f"({NARROW['q50']:g} of a narrow type)"
)


def check(evidence: Evidence) -> Check:
    problem = failure_of(evidence, NAME) or next(filter(None, map(_problem, evidence.runs)), "")
    if problem:
        return Check(NAME, "L3", False, problem, THRESHOLD)
    count = sum(len(runs.candidate) for runs in evidence.runs)
    return Check(NAME, "L3", True, f"{count} runs on the same inputs", THRESHOLD)


def _problem(runs: RepeatedRuns) -> str:
    truths = _floats(runs.seen.truth) if runs.seen.truth is not None else {}
    negligible = _negligible(runs.seen.truth) if runs.seen.truth is not None else {}
    ours = [_tensors(reply) for reply in runs.baseline]
    theirs = [_tensors(reply) for reply in runs.candidate]
    for path, first in theirs[0].items():
        others = [reply.get(path) for reply in theirs[1:]]
        if any(other is None or other.shape != first.shape or other.dtype != first.dtype for other in others):
            return f"{path} has another shape or type in a second run"
        same = [other for other in others if other is not None]
        if all(bitwise_equal(first, other) for other in same):
            continue
        if not is_inexact(first):
            if not _moves(path, ours):
                return f"{path} differs from run to run, the baseline's does not"
            continue
        least = negligible.get(path, 0.0)
        allowed = [_spread([reply[path] for reply in ours if path in reply], least)]
        if path in truths and path in ours[0] and truths[path].shape == ours[0][path].shape:
            allowed.append(error_profile(ours[0][path], truths[path], ours[0][path], least=least))
        excess = _excess(_spread([first, *same], least), pool(*allowed), first.dtype)
        if excess:
            return f"{path} {excess}"
    return ""


def _excess(spread: ErrorProfile, allowed: ErrorProfile, dtype: torch.dtype) -> str:
    if spread.nonfinite:
        return "is NaN or infinite in some runs and not in others"
    for name, roundings in (WIDE if dtype.itemsize >= 4 else NARROW).items():
        found = getattr(spread, name)
        limit = max(ERROR_BUDGET * getattr(allowed, name), roundings * torch.finfo(dtype).eps)
        if found > limit:
            return f"moves by {found:.1e} ({name}) from run to run (limit {limit:.1e})"
    return ""


def _spread(replies: Sequence[torch.Tensor], least: float) -> ErrorProfile:
    profiles = [error_profile(other, replies[0], least=least) for other in replies[1:]]
    return pool(*profiles) if profiles else ErrorProfile()


def _moves(path: str, replies: Sequence[dict[str, torch.Tensor]]) -> bool:
    found = [reply[path] for reply in replies if path in reply]
    return any(not torch.equal(found[0], other) for other in found[1:])


def _tensors(reply: Reply) -> dict[str, torch.Tensor]:
    return _by_path((*reply.outputs, *reply.gradients))


def _floats(truth: Reply) -> dict[str, torch.Tensor]:
    return {path: tensor for path, tensor in _tensors(truth).items() if is_inexact(tensor)}


def _negligible(truth: Reply) -> dict[str, float]:
    """The size of the others for gradients that are mathematically zero."""
    gradients = _by_path(truth.gradients)
    return dict(zip(gradients, zero_scales(list(gradients.values())), strict=True))


def _by_path(leaves: Sequence[LeafView]) -> dict[str, torch.Tensor]:
    return {leaf.path: leaf.tensor for leaf in leaves if leaf.tensor is not None}


CHECK = AuditCheck(NAME, "L3", check)
