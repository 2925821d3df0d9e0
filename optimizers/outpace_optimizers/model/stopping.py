"""When more ideas are not worth their price."""

from __future__ import annotations

from collections.abc import Sequence

from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.records import Trial

NEAR = 1.15
"""Times what the unavoidable bytes take at the memory's datasheet peak: a plain copy reaches about nine tenths of it,
so little is left to gain."""


def best_of(tried: Sequence[Trial]) -> Trial | None:
    """The accepted one with the highest lower bound."""
    won = [trial for trial in tried if trial.verdict.accepted and trial.verdict.interval]
    return max(won, key=lambda trial: trial.verdict.interval[0] if trial.verdict.interval else 0.0, default=None)


def near_floor(facts: Facts, tried: Sequence[Trial]) -> str:
    """Why no idea can gain much any more: every workload was timed, and is near the floor; or nothing."""
    peak = facts.machine.ceilings.get("peak_bytes_per_s")
    floors = {one["workload"]["label"]: one["unavoidable_bytes"] for one in facts.learnt["workloads"]}
    times = {timing.workload: timing.baseline_s for trial in tried for timing in trial.verdict.timings}
    best = best_of(tried)
    times |= {timing.workload: timing.candidate_s for timing in (best.verdict.timings if best else ())}
    if not peak or not floors or not all(floors.values()) or not floors.keys() <= times.keys():
        return ""
    worst = max(times[label] * peak / needed for label, needed in floors.items())
    if worst > NEAR:
        return ""
    return (
        f"near the floor: no call takes more than {worst:.2f} times what its unavoidable bytes take at peak bandwidth"
    )
