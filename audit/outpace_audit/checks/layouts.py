"""L3: the same call at an odd address, with other strides, with stride 0, where the baseline runs it: the candidate
agrees or raises."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.checks.numerics import Comparison, recurring
from outpace_audit.checks.probes import judge, whole
from outpace_audit.records import Check

NAME = "layouts"


def check(evidence: Evidence) -> Check:
    nothing = "the baseline runs no other layout of its inputs"
    return judge(evidence, NAME, "L3", nothing=nothing, may_refuse=True, compare=_compare)


def _compare(seen: Observation) -> list[Comparison]:
    return recurring(whole(seen)) if seen.probe == "broadcast" else whole(seen)


CHECK = AuditCheck(NAME, "L3", check)
