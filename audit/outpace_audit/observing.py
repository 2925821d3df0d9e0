"""L1 to L3: the same secret calls on oracle, baseline and candidate, gathered as observations."""

from __future__ import annotations

from typing import Any

import torch

from outpace_audit.checks.evidence import Evidence, Observation, Repeat
from outpace_audit.compare import bitwise_equal
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.records import NumericsClass
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply, Side
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, SETTLE_S

PROBES = ("fresh", "fresh", "scaled")
"""Two calls with new values and one with other magnitudes, each in storage of its own."""

WIDE = ("float32", "float64", "complex64", "complex128")
FP32_ROUNDING = 2.0**-23


def observe(oracle: Side, baseline: Side, candidate: Side, facts: TargetFacts, evidence: Evidence) -> None:
    """Fills `observations` and `reused`. An ArmError of the candidate is a finding; `side` tells whose it is."""
    for one in facts.workloads:
        for probe in PROBES:
            seen = _observation(oracle, baseline, candidate, one, probe, evidence.seeds)
            if seen is not None:
                evidence.observations.append(seen)
        evidence.reused += _reused(candidate, one, evidence.seeds)
        evidence.unavoidable_bytes[one.workload.label] = one.unavoidable_bytes


def _observation(
    oracle: Side, baseline: Side, candidate: Side, one: WorkloadFacts, probe: str, seeds: SeedSource
) -> Observation | None:
    request = _request(one, seeds, magnitudes=probe == "scaled")
    try:
        ours = baseline.call(one.workload, CALL_TIMEOUT_S, pause_s=SETTLE_S, **request)
    except ArmError:
        if probe == "fresh":
            raise
        return None  # the baseline itself refuses these magnitudes
    truth = None if one.truth else oracle.call(one.workload, COMPILE_TIMEOUT_S, lifted=True, **request)
    nudged = None
    if truth is not None and any(leaf.dtype in WIDE for leaf in (*ours.outputs, *ours.gradients)):
        nudged = oracle.call(
            one.workload,
            CALL_TIMEOUT_S,
            lifted=True,
            noise=FP32_ROUNDING,
            noise_seed=request["seed"],
            **request,
        )
    theirs = candidate.call(one.workload, COMPILE_TIMEOUT_S, pause_s=SETTLE_S, **request)

    def perturbed(scale: float, seed: int) -> list[torch.Tensor]:
        noisy = oracle.call(one.workload, CALL_TIMEOUT_S, lifted=True, noise=scale, noise_seed=seed, **request)
        return [leaf.tensor for leaf in noisy.outputs if leaf.tensor is not None]

    return Observation(
        one.workload.label, probe, request["seed"], truth, ours, theirs, nudged, perturbed if truth else None
    )


def _reused(candidate: Side, one: WorkloadFacts, seeds: SeedSource) -> list[Repeat]:
    """A call on fresh storage, one with new values in that storage, and the same values somewhere new."""
    first, second = _request(one, seeds), _request(one, seeds)
    candidate.call(one.workload, CALL_TIMEOUT_S, slot="kept", **first)
    suspect = candidate.call(one.workload, CALL_TIMEOUT_S, slot="kept", pause_s=SETTLE_S, **second)
    plain = candidate.call(one.workload, CALL_TIMEOUT_S, pause_s=SETTLE_S, **second)
    return [Repeat(one.workload.label, suspect, plain)]


def _request(one: WorkloadFacts, seeds: SeedSource, **more: Any) -> dict[str, Any]:
    return {
        "seed": seeds.seed("call"),
        "sample_seed": seeds.seed("sample"),
        "cotangents": one.cotangents,
        **more,
    }


def numerics_class(evidence: Evidence) -> NumericsClass | None:
    """exact if every output and gradient had the baseline's bits; else tolerant, which the checks have to confirm."""
    if not evidence.observations:
        return None
    return "exact" if all(_same_bits(seen.baseline, seen.candidate) for seen in evidence.observations) else "tolerant"


def _same_bits(ours: Reply, theirs: Reply) -> bool:
    mine, other = (
        (*ours.outputs, *ours.gradients, *ours.buffers),
        (*theirs.outputs, *theirs.gradients, *theirs.buffers),
    )
    if len(mine) != len(other):
        return False
    return all(
        a.plain == b.plain
        and (a.tensor is None) == (b.tensor is None)
        and (a.tensor is None or b.tensor is None or bitwise_equal(a.tensor, b.tensor))
        for a, b in zip(mine, other, strict=True)
    )
