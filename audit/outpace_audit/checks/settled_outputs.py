"""L3, and again in timed windows: outputs are complete when the call returns. Secret elements are copied at once and
read again after a pause; work on a thread or an unsynchronised stream shows as a difference."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence
from outpace_audit.records import Check
from outpace_audit.tensors import same_bytes

NAME = "settled-outputs"


def check(evidence: Evidence) -> Check:
    for seen in evidence.observations:
        reply = seen.candidate
        if len(reply.early) != len(reply.late) or not all(
            same_bytes(early, late) for early, late in zip(reply.early, reply.late, strict=True)
        ):
            return Check(NAME, "L3", False, f"{seen.label}: outputs still changed after the call had returned")
    for window, settled in evidence.early_and_late:
        if not settled:
            return Check(NAME, "L3", False, f"{window}: outputs still changed after the timed window had ended")
    windows = f" and {len(evidence.early_and_late)} timed windows" if evidence.early_and_late else ""
    return Check(
        NAME,
        "L3",
        True,
        f"outputs final on return in {len(evidence.observations)} calls{windows}",
        threshold="same bytes after the pause",
    )


CHECK = AuditCheck(NAME, "L3", check)
