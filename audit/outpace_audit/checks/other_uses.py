"""L3: the candidate agrees, or raises, where another caller uses it as the baseline can be used: in training without
gradients, by two backward passes over one graph, with cotangents as they come, with some leaves frozen, with weights
set anew, after a checkpoint was loaded, where gradients are recorded."""

from __future__ import annotations

from outpace_audit.checks.evidence import AuditCheck, Evidence, Probe
from outpace_audit.checks.probes import judge
from outpace_audit.records import Check
from outpace_audit.subject import NO_GRADIENT

NAME = "other-uses"


def check(evidence: Evidence) -> Check:
    return judge(evidence, NAME, "L3", nothing="the baseline can be used in no other way", may_refuse=_may_refuse)


def _may_refuse(probe: Probe) -> bool:
    """A result that carries no gradient is not refused: nobody is told."""
    return probe.failure is not None and probe.failure.phase != NO_GRADIENT


CHECK = AuditCheck(NAME, "L3", check)
