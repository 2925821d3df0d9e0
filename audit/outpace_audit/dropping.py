"""Runs of what drops at random, enough of them for a rate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from outpace_audit.checks.evidence import DroppedRuns
from outpace_audit.facts import WorkloadFacts
from outpace_audit.observing import Trio
from outpace_audit.sides import Reply, Side
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, DROPPED_RUNS, DROPPED_S


def dropped_runs(trio: Trio, one: WorkloadFacts, request: Mapping[str, Any]) -> DroppedRuns:
    """The same call, with other random numbers each time but the last, which has those of the first."""
    least, most = DROPPED_RUNS
    number = max(least, min(most, int(DROPPED_S / max(one.seconds, 1e-6))))

    def runs(arm: Side) -> tuple[Reply, ...]:
        seeds = [trio.seeds.seed("call") for _ in range(number)]
        return tuple(
            arm.call(one.workload, COMPILE_TIMEOUT_S, mode="dropping", rng_seed=seed, **request)
            for seed in (*seeds, seeds[0])
        )

    still = trio.baseline.call(one.workload, CALL_TIMEOUT_S, **request)
    ours, theirs = runs(trio.baseline), runs(trio.candidate)
    return DroppedRuns(one.workload.label, still, ours[:-1], theirs[:-1], (ours[-1], theirs[-1]))
