"""L2: on fresh inputs the candidate's error against truth is within the baseline's own error budget."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from dataclasses import replace

import torch

from outpace_audit.checks.differences import differences
from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, Tally, compare, with_redraws
from outpace_audit.checks.random_draws import OTHERS
from outpace_audit.compare import error_profile
from outpace_audit.records import Check
from outpace_audit.sides import LeafView, Reply
from outpace_audit.ties import Aligned, TieJudge

NAME = "outputs-against-truth"
NOTHING: Mapping[str, float] = {}


def check(evidence: Evidence) -> Check:
    tally = Tally(NAME, "L2")
    for seen in evidence.observations:
        tally.add(seen.magnitude, with_redraws(seen, compare_outputs))
    found = tally.verdict(f"{len(evidence.observations)} calls on fresh inputs")
    if evidence.draws and not found.passed:
        found = replace(found, evidence=f"{found.evidence}; or it {OTHERS}: in another order, or of another type")
    return replace(found, numbers={**found.numbers, "differences": differences(evidence.observations)})


def compare_outputs(seen: Observation, least: Mapping[str, float] = NOTHING) -> list[Comparison]:
    """Every tensor output; index outputs that differ from the baseline's go through the tie rule first. `least`: by
    path, the size below which errors are not measured against truth's own."""
    ours, theirs = tensors_of(seen.baseline.outputs), tensors_of(seen.candidate.outputs)
    truths: list[torch.Tensor] | list[None] = tensors_of(seen.truth.outputs) if seen.truth else []
    paths = [leaf.path for leaf in seen.baseline.outputs if leaf.tensor is not None]
    if len(ours) != len(theirs):
        return [Comparison("outputs", problem=f"{len(theirs)} tensors, the baseline's {len(ours)}")]
    if len(ours) != len(truths):  # none, or one that went another way: at some sizes operators return nothing
        truths = [None] * len(ours)
    aligned: dict[int, Aligned] = {}
    tied = seen.perturbed is not None and _indices_differ(ours, theirs)
    if tied and seen.perturbed is not None:
        judged = TieJudge([t for t in truths if t is not None], ours, seen.perturbed).judge(theirs)
        if not judged.passed:
            return [Comparison("index outputs", problem=judged.evidence)]
        aligned = judged.aligned
    found: list[Comparison] = []
    for i, (path, truth, a, b) in enumerate(zip(paths, truths, ours, theirs, strict=True)):
        if i in aligned:
            found.append(_compare_aligned(path, aligned[i], b.dtype))
        elif tied and _is_index(a):
            found.append(Comparison(path, b.dtype, exact=True))  # the tie rule has judged it
        else:
            nudged, shaken = functools.partial(_nudged, seen, i), functools.partial(_shaken, seen, i)
            found.append(compare(path, truth, a, b, nudged=nudged, shaken=shaken, least=least.get(path, 0.0)))
    return [*found, *_compare_updates(seen, least)]


def _compare_updates(seen: Observation, least: Mapping[str, float]) -> Iterator[Comparison]:
    """What a call leaves in inputs that it writes to (a cache)."""
    ours, theirs = _updates(seen.baseline), _updates(seen.candidate)
    truths = _updates(seen.truth) if seen.truth else {}
    for path in sorted(ours.keys() | theirs.keys()):
        a, b = ours.get(path), theirs.get(path)
        if a is None or b is None:
            yield Comparison(path, problem=f"by the {'candidate' if a is None else 'baseline'} alone")
        else:
            nudged, shaken = (
                functools.partial(_nudged_update, seen, path),
                functools.partial(_shaken_updates, seen, path),
            )
            yield compare(path, truths.get(path), a, b, nudged=nudged, shaken=shaken, least=least.get(path, 0.0))


def _updates(reply: Reply) -> dict[str, torch.Tensor]:
    return {leaf.path: leaf.tensor for leaf in reply.updated if leaf.tensor is not None}


def _nudged_update(seen: Observation, path: str) -> torch.Tensor | None:
    moved = seen.nudged()
    return None if moved is None else _updates(moved).get(path)


def _shaken_updates(seen: Observation, path: str) -> list[torch.Tensor]:
    return [left for moved in seen.shaken() if (left := _updates(moved).get(path)) is not None]


def _nudged(seen: Observation, i: int) -> torch.Tensor | None:
    moved = seen.nudged()
    return None if moved is None else tensors_of(moved.outputs)[i]


def _shaken(seen: Observation, i: int) -> list[torch.Tensor]:
    return [tensors_of(moved.outputs)[i] for moved in seen.shaken()]


def _compare_aligned(path: str, aligned: Aligned, dtype: torch.dtype) -> Comparison:
    return Comparison(
        path,
        dtype,
        candidate=error_profile(aligned.candidate, aligned.candidate_truth),
        baseline=lambda: error_profile(aligned.baseline, aligned.baseline_truth),
    )


def tensors_of(leaves: tuple[LeafView, ...]) -> list[torch.Tensor]:
    return [leaf.tensor for leaf in leaves if leaf.tensor is not None]


def _indices_differ(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    return any(_is_index(a) and a.shape == b.shape and not torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def _is_index(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex() and tensor.dtype != torch.bool


CHECK = AuditCheck(NAME, "L2", check)
