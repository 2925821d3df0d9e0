"""L2: what trains agrees with the baseline after `eval()` too, its dropout as declared, and where no gradients are
recorded."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.outputs import compare_outputs
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "evaluation-mode"


def check(evidence: Evidence) -> Check:
    nothing = "the target does not train"
    return judge(evidence, NAME, "L2", nothing=nothing, compare=lambda seen: compare_outputs(seen))


CHECK = AuditCheck(NAME, "L2", check)
