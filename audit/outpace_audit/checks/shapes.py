"""L2: at other shapes that the baseline runs (odd, prime, size one, empty, larger; secretly chosen) the candidate
agrees or raises: never a silent other value."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "shapes"


def check(evidence: Evidence) -> Check:
    return judge(evidence, NAME, "L2", nothing="the baseline runs no other shape that could be drawn", may_refuse=True)


CHECK = AuditCheck(NAME, "L2", check)
