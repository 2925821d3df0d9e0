"""Results that a caller keeps while it goes on calling."""

from __future__ import annotations

from outpace_audit.checks.evidence import HeldResults
from outpace_audit.facts import WorkloadFacts
from outpace_audit.observing import Trio, new_request
from outpace_audit.thresholds import HELD_BYTES, HELD_CALLS, HELD_S


def results_of_held_calls(trio: Trio, one: WorkloadFacts) -> HeldResults:
    """As many calls as fit in `HELD_S` and `HELD_BYTES`. Whether the baseline's change too is asked only where the
    candidate's have."""
    most = min(HELD_S / max(one.seconds, 1e-6), HELD_BYTES / max(one.output_bytes, 1))
    calls = max(2, min(HELD_CALLS, int(most)))
    request = new_request(trio.seeds, one.cotangents)
    changed = trio.candidate.hold(one.workload, calls, **request)
    if changed:
        excused = {path for _, path in trio.baseline.hold(one.workload, calls, **request)}
        changed = [(call, path) for call, path in changed if path not in excused]
    return HeldResults(one.workload.label, calls, tuple(changed))
