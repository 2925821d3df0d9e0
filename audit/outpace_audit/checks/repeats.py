"""Shared by the checks that hold a candidate to its own plain call on the same values."""

from __future__ import annotations

import torch

from outpace_audit.checks.evidence import Repeat
from outpace_audit.checks.numerics import pairs_of
from outpace_audit.compare import error_profile
from outpace_audit.tensors import is_inexact

ROUNDINGS = 64.0
"""Two runs of one honest kernel may sum in another order (atomics, graph against eager); they stay within this many
roundings of the output type. A replayed or unfinished result is off by whole values."""

THRESHOLD = f"within {ROUNDINGS:g} roundings of the candidate's own plain call on the same inputs"


def difference(repeat: Repeat) -> str:
    """What differs between the suspect call and the plain one, or nothing."""
    plain, suspect = repeat.plain.recorded, repeat.suspect.recorded
    if suspect and len(plain) == len(suspect):  # of a call that nobody kept
        found = (_tensor_difference(a, b) for a, b in zip(plain, suspect, strict=True))
        return next((f"what is recorded of it {problem}" for problem in found if problem), "")
    if len(repeat.plain.outputs) != len(repeat.suspect.outputs):
        return "another number of outputs"
    plain, suspect = ({leaf.path: leaf for leaf in reply.updated} for reply in (repeat.plain, repeat.suspect))
    if plain.keys() != suspect.keys():
        return f"one of two calls alone wrote to {min(plain.keys() ^ suspect.keys()).removesuffix(', updated')}"
    leaves = [
        *pairs_of(repeat.plain.updated, repeat.suspect.updated),
        *pairs_of(repeat.plain.outputs, repeat.suspect.outputs),
        *pairs_of(repeat.plain.gradients, repeat.suspect.gradients),
    ]
    for plain, suspect in leaves:
        assert plain.tensor is not None and suspect.tensor is not None, "pairs_of leaves no gaps"
        problem = _tensor_difference(plain.tensor, suspect.tensor)
        if problem:
            return f"{suspect.path} {problem}"
    return ""


def _tensor_difference(plain: torch.Tensor, suspect: torch.Tensor) -> str:
    if plain.shape != suspect.shape or plain.dtype != suspect.dtype:
        return "has another shape or dtype"
    if not is_inexact(suspect):
        wrong = int((plain != suspect).sum())
        return f"differs in {wrong} of {suspect.numel()} values" if wrong else ""
    profile = error_profile(suspect, plain)
    limit = ROUNDINGS * torch.finfo(suspect.dtype).eps
    return f"is off by {profile.max:.2e} (limit {limit:.1e})" if profile.nonfinite or profile.max > limit else ""
