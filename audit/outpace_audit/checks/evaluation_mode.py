"""L2: a module that trains agrees with the baseline after `eval()` too, its dropout as declared."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "evaluation-mode"


def check(evidence: Evidence) -> Check:
    nothing = "no module that trains"
    return judge(evidence, NAME, "L2", nothing=nothing, compare=lambda seen: compare_outputs(seen))


CHECK = AuditCheck(NAME, "L2", check)
