"""L2: on fresh inputs the candidate's error against truth is within the baseline's own error budget."""

from __future__ import annotations

import torch

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, compare_profiles, compare_to_truth
from outpace_audit.compare import error_profile
from outpace_audit.records import Check
from outpace_audit.thresholds import ERROR_BUDGET
from outpace_audit.ties import Aligned, TieJudge

NAME = "outputs-against-truth"
THRESHOLD = f"every error statistic at most {ERROR_BUDGET:g} x the baseline's own, or one rounding of the output type"


def check(evidence: Evidence) -> Check:
    worst, shown = 0.0, "same bits as the baseline"
    for seen in evidence.observations:
        for path, comparison in compare_outputs(seen):
            if not comparison.passed:
                return Check(NAME, "L2", False, f"{seen.label}: {path}: {comparison.text}", THRESHOLD,
                             {"ratio": comparison.ratio, "seed": seen.seed})
            if comparison.ratio >= worst:
                worst, shown = comparison.ratio, comparison.text
    return Check(NAME, "L2", True, f"{len(evidence.observations)} calls on fresh inputs; worst: {shown}", THRESHOLD, {"ratio": worst})


def compare_outputs(seen: Observation) -> list[tuple[str, Comparison]]:
    """(path, comparison) of every tensor output; index outputs that differ go through the tie rule first."""
    ours, theirs = tensors_of(seen.baseline.outputs), tensors_of(seen.candidate.outputs)
    truths = tensors_of(seen.truth.outputs) if seen.truth else [None] * len(ours)
    paths = [leaf.path for leaf in seen.baseline.outputs if leaf.tensor is not None]
    aligned: dict[int, Aligned] = {}
    if seen.perturbed is not None and _has_ties(ours, theirs):
        judged = TieJudge([t for t in truths if t is not None], ours, seen.perturbed).judge(theirs)
        if not judged.passed:
            return [("index outputs", Comparison(False, float("inf"), judged.evidence))]
        aligned = judged.aligned
    return [
        (path, _compare(truth, a, b, aligned.get(i), seen.perturbed is not None))
        for i, (path, truth, a, b) in enumerate(zip(paths, truths, ours, theirs, strict=True))
    ]


def _compare(
    truth: torch.Tensor | None, ours: torch.Tensor, theirs: torch.Tensor, aligned: Aligned | None, tied: bool,
) -> Comparison:
    if aligned is not None:
        return compare_profiles(
            error_profile(aligned.candidate, aligned.candidate_truth),
            error_profile(aligned.baseline, aligned.baseline_truth), theirs.dtype)
    if tied and truth is not None and _is_index(ours) and not torch.equal(ours, theirs):
        return Comparison(True, 1.0, "near-ties selected as the reference itself would within rounding")
    return compare_to_truth(truth, ours, theirs)


def tensors_of(leaves: tuple[object, ...]) -> list[torch.Tensor]:
    return [tensor for leaf in leaves if (tensor := getattr(leaf, "tensor", None)) is not None]


def _has_ties(ours: list[torch.Tensor], theirs: list[torch.Tensor]) -> bool:
    """Whether an index output of the candidate differs from the baseline's, so that it matters which is right."""
    return any(_is_index(a) and a.shape == b.shape and not torch.equal(a, b) for a, b in zip(ours, theirs, strict=True))


def _is_index(tensor: torch.Tensor) -> bool:
    return not tensor.is_floating_point() and not tensor.is_complex() and tensor.dtype != torch.bool


CHECK = AuditCheck(NAME, "L2", check)
