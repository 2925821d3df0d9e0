"""L3: inputs inside larger storage. Nothing is written beside them, and what lies there, or in freed memory, does not
reach the result: once it reads as NaN, once as large numbers."""

from __future__ import annotations

from outpace_audit.checks import layouts
from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check

NAME = "guard-bands"


def check(evidence: Evidence) -> Check:
    for probe in (*evidence.probes.get(NAME, []), *evidence.probes.get(layouts.NAME, [])):
        touched = probe.seen.candidate.trespassed if probe.seen is not None else ()
        if touched:
            said = f"{probe.label}: the candidate wrote beside input {touched[0]}"
            return Check(NAME, "L3", False, said, "no byte outside the inputs changed")
    return judge(evidence, NAME, "L3", nothing="the baseline itself writes or reads beside its inputs")


CHECK = AuditCheck(NAME, "L3", check)
