"""L3: new integers beside the same floats in the same storage: no plan that was made for other indices is used."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "fresh-indices"


def check(evidence: Evidence) -> Check:
    return judge(evidence, NAME, "L3", nothing="no integer input varies")


CHECK = AuditCheck(NAME, "L3", check)
