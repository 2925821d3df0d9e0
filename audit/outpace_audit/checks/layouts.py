"""L3: the same call at an odd address, with other strides, with stride 0, where the baseline runs it: the candidate
agrees or raises."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "layouts"


def check(evidence: Evidence) -> Check:
    return judge(evidence, NAME, "L3", nothing="the baseline runs no other layout of its inputs", may_refuse=True)


CHECK = AuditCheck(NAME, "L3", check)
