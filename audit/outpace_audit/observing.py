"""L1 to L3: the same secret calls on oracle, baseline and candidate, gathered as observations."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from outpace_audit.checks.evidence import Evidence, Observation, StateSeen
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.inputs import SCALED
from outpace_audit.records import NumericsClass, Workload
from outpace_audit.scout import is_calm
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply, Side, same_leaves
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, CONDITION, SETTLE_S

PROBES = ("fresh", "fresh", SCALED)
"""Two calls with new values and one with other magnitudes, each in storage of its own."""

WIDE, DOUBLE = ("float32", "complex64"), ("float64", "complex128")
FP32_ROUNDING = 2.0**-23
FP64_ROUNDING = 2.0**-50
"""Four roundings of fp64: truth is computed in it, with roundings of its own. Counts where all results are doubles."""
SCALINGS = 6
"""Draws of magnitudes until the baseline bears them: of a recurrence of 64 steps, whose growth hangs on one of four
inputs, every second draw blows up."""

SHAKES = 4
"""Each crosses a kink that lies within a candidate's roundings with even odds or better."""


@dataclass(frozen=True, slots=True)
class Trio:
    """The three sides of one audit. A side that fails raises ArmError, which names it."""

    oracle: Side
    baseline: Side
    candidate: Side
    seeds: SeedSource

    def observe(self, workload: Workload, probe: str, request: dict[str, Any], *, lifts: bool) -> Observation:
        """One call on all sides. `lifts`: truth can be had."""
        ours, truth = self.reference(workload, request, lifts=lifts)
        return self.compare(workload, probe, request, ours, truth)

    def states(self, after: str) -> StateSeen:
        return StateSeen(after, self.baseline.state(), self.candidate.state())

    def reference(self, workload: Workload, request: dict[str, Any], *, lifts: bool) -> tuple[Reply, Reply | None]:
        """The baseline's reply, and truth."""
        for side in (self.oracle, self.baseline):
            side.workload(workload)
        ours = self.baseline.call(workload, CALL_TIMEOUT_S, **request)
        truth = self.oracle.call(workload, COMPILE_TIMEOUT_S, lifted=True, **request) if lifts else None
        return ours, truth

    def compare(
        self, workload: Workload, probe: str, request: dict[str, Any], ours: Reply, truth: Reply | None
    ) -> Observation:
        """The candidate's reply beside what `reference` gave."""
        self.candidate.workload(workload)
        theirs = self.candidate.call(workload, COMPILE_TIMEOUT_S, pause_s=SETTLE_S, **request)
        return self.beside(workload, probe, request, ours, truth, theirs)

    def beside(
        self, workload: Workload, probe: str, request: dict[str, Any], ours: Reply, truth: Reply | None, theirs: Reply
    ) -> Observation:
        """The three replies to one request; more truth is asked for where it decides."""
        if truth is None:
            return Observation(workload.label, probe, request, None, ours, theirs)

        def moved(scale: float, noise_seed: int, *, rounded: bool) -> Reply:
            noise = {"noise": scale, "noise_seed": noise_seed, "rounded": rounded}
            return self.oracle.call(workload, CALL_TIMEOUT_S, lifted=True, **noise, **request)

        def perturbed(scale: float, noise_seed: int) -> list[torch.Tensor]:
            seen = moved(scale, noise_seed, rounded=False)
            return [leaf.tensor for leaf in seen.outputs if leaf.tensor is not None]

        floats = {leaf.dtype for leaf in (*ours.outputs, *ours.gradients)}
        wide = bool(floats & {*WIDE, *DOUBLE})
        rounding = FP32_ROUNDING if floats & {*WIDE} or not wide else FP64_ROUNDING

        @functools.cache
        def nudged() -> Reply | None:
            return moved(rounding, request["seed"], rounded=True) if wide else None

        @functools.cache
        def shaken() -> Sequence[Reply]:
            seeds = range(request["seed"] + 1, request["seed"] + 1 + SHAKES * wide)
            return [moved(CONDITION * rounding, seed, rounded=True) for seed in seeds]

        again = self.redraw(workload, probe, request)
        return Observation(
            workload.label, probe, request, truth, ours, theirs, nudged, shaken, perturbed=perturbed, again=again
        )

    def redraw(self, workload: Workload, probe: str, request: dict[str, Any]) -> Callable[[], Observation | None]:
        """Observes the same call with other secret values, each time that it is called."""

        def again() -> Observation | None:
            renewed = {**request, "seed": self.seeds.seed("call"), "sample_seed": self.seeds.seed("sample")}
            try:
                return self.observe(workload, probe, renewed, lifts=True)
            except ArmError as error:
                if error.fatal and error.side != "candidate":
                    raise
                return None

        return again


def observe(trio: Trio, facts: TargetFacts, evidence: Evidence) -> None:
    """Fills `observations`. An ArmError of the candidate is a finding; `side` tells whose it is."""
    for one in facts.workloads:
        for probe in PROBES:
            try:
                scaled = probe == SCALED
                seen = _scaled(trio, one, evidence) if scaled else _fresh(trio, one, evidence.seeds)
                evidence.observations += [seen] if seen else []
            except ArmError as error:
                if probe == "fresh" or error.side != "baseline" or error.fatal:
                    raise  # else the baseline itself refuses these magnitudes
        evidence.unavoidable_bytes[one.workload.label] = one.unavoidable_bytes
    evidence.states.append(trio.states("the plain calls"))


def _scaled(trio: Trio, one: WorkloadFacts, evidence: Evidence) -> Observation | None:
    """At magnitudes at which neither the baseline nor truth comes near what their types hold, unless it does as
    declared, too: which side overflows first is a matter of order there. None if there is none in a few draws."""
    plain = next(seen for seen in evidence.observations if seen.is_plain_call_of(one.workload.label))
    for _ in range(SCALINGS):
        request = new_request(evidence.seeds, one.cotangents, values=SCALED)
        ours, truth = trio.reference(one.workload, request, lifts=not one.truth)
        if is_calm(plain.baseline, ours, truth):
            return trio.compare(one.workload, SCALED, request, ours, truth)
    return None


def _fresh(trio: Trio, one: WorkloadFacts, seeds: SeedSource) -> Observation:
    return trio.observe(one.workload, "fresh", new_request(seeds, one.cotangents), lifts=not one.truth)


def new_request(seeds: SeedSource, cotangents: list[list[Any]] | None, **special: Any) -> dict[str, Any]:
    """A call with secret values."""
    secret = {"seed": seeds.seed("call"), "sample_seed": seeds.seed("sample")}
    return {**secret, "cotangents": cotangents, **special}


def numerics_class(evidence: Evidence) -> NumericsClass | None:
    """exact if every output and gradient had the baseline's bits; else tolerant, which the checks have to confirm."""
    if not evidence.observations:
        return None
    pairs = [(seen.baseline, seen.candidate) for seen in evidence.observations]
    return "exact" if all(same_leaves(ours.leaves, theirs.leaves) for ours, theirs in pairs) else "tolerant"
