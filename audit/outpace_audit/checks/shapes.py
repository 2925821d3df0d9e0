"""L2: at other shapes that the baseline runs (odd, prime, size one, empty, larger; secretly chosen) the candidate
agrees or raises: never a silent other value."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.gradients import compare_buffers, compare_gradients
from outpace_audit.checks.numerics import Comparison
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "shapes"


def check(evidence: Evidence) -> Check:
    nothing = "the baseline runs no other shape that could be drawn"
    return judge(evidence, NAME, "L2", nothing=nothing, may_refuse=True, compare=_compare, heeds_noise=True)


def _compare(seen: Observation) -> list[Comparison]:
    """Of a recurrence of one step some parameters reach nothing: torch gives them None or zeros, by how it is
    written."""
    gradients = compare_gradients(seen, by_row=False, none_is_nought=True)
    return [*compare_outputs(seen), *gradients, *compare_buffers(seen)]


CHECK = AuditCheck(NAME, "L2", check)
