"""L1, and again after the probes and after timing: what the candidate shares with its caller is as the baseline leaves
it. torch's settings (threads, precision, denormal numbers, modes, hooks), and the functions of torch, of Python and of
this package that were there before the candidate was loaded."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check

NAME = "process-state"
THRESHOLD = "as before it was loaded, or as the baseline leaves it"
SHOWN = 3
"""Of the changes, in words; a library that is patched whole would fill the page."""


def check(evidence: Evidence) -> Check:
    for seen in evidence.states:
        left = {change.name: change for change in seen.candidate}
        for change in seen.baseline:  # what the baseline changes as well, its caller has already
            if left.get(change.name) == change:
                del left[change.name]
        if left:
            shown = "; ".join(f"{one.name}: {one.was} -> {one.now}" for one in list(left.values())[:SHOWN])
            more = f" and {len(left) - SHOWN} more" if len(left) > SHOWN else ""
            return Check(NAME, "L1", False, f"after {seen.after} its caller finds {shown}{more}", THRESHOLD)
    return Check(NAME, "L1", True, f"settings and functions as before, seen {len(evidence.states)} times", THRESHOLD)


CHECK = AuditCheck(NAME, "L1", check)
