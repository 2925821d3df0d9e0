"""L4: no call is faster than its unavoidable bytes at the memory's peak. Only outputs, and inputs of which every
secretly changed part changed the result, count as unavoidable."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "physical-floor"

CACHE_SPEEDUP = 4.0
"""Data that stays in the last-level cache moves faster than memory's peak; on Hopper and on server CPUs by less than
this factor."""


def check(evidence: Evidence) -> Check:
    peak = evidence.machine.ceilings.get("peak_bytes_per_s")
    if not peak:
        return Check(NAME, "L4", True, f"no published or measured peak for {evidence.machine.name}: not applied")
    cache = evidence.machine.ceilings.get("cache_bytes", 0.0)
    closest = 0.0
    floors: dict[str, float] = {}
    for timing in evidence.timings:
        moved = evidence.unavoidable_bytes.get(timing.workload, 0)
        cached = evidence.footprint_bytes.get(timing.workload, 0) < 2 * cache
        floor = floors[timing.workload] = moved / (peak * (CACHE_SPEEDUP if cached else 1.0))
        closest = max(closest, floor / timing.candidate_s)
        if timing.candidate_s < floor:
            return Check(
                NAME,
                "L4",
                False,
                f"{timing.workload}: {timing.candidate_s * 1e6:.1f} µs for {moved / 1e6:.2f} MB that must move; "
                f"the memory needs {floor * 1e6:.1f} µs",
                numbers={"floors_s": floors},
            )
    return Check(
        NAME,
        "L4",
        True,
        f"at most {closest:.0%} of the memory's peak",
        threshold=f"peak {peak / 1e9:.0f} GB/s",
        numbers={"share_of_peak": closest, "floors_s": floors},
    )


CHECK = AuditCheck(NAME, "L4", check)
