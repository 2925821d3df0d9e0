"""L3: the candidate agrees, or raises, where another caller uses it as the baseline can be used: in training without
gradients, by two backward passes over one graph, with cotangents as they come, with some leaves frozen, with weights
set anew, after a checkpoint was loaded, after steps that left their state, where gradients are recorded, in fp64."""

from __future__ import annotations

from dataclasses import replace

import torch

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation, Probe
from outpace_audit.checks.gradients import compare_gradients
from outpace_audit.checks.numerics import Comparison
from outpace_audit.checks.probes import judge, whole
from outpace_audit.records import Check
from outpace_audit.subject import NO_GRADIENT

NAME = "other-uses"
DOUBLE = "inputs in fp64"
UNDECLARED = "gradients that nobody declared"
BETWEEN_UNDECLARED = "another call before a backward pass that nobody declared"
NAMED = 3
"""Leaves that a line has room for."""


def check(evidence: Evidence) -> Check:
    nothing = "the baseline can be used in no other way"
    found = judge(evidence, NAME, "L3", nothing=nothing, may_refuse=_may_refuse, compare=_compare)
    gained = said_of_gained(evidence)
    if gained and found.passed:
        return Check(NAME, "L3", False, gained)
    said = [found.evidence, *filter(None, (said_of_cut(evidence), said_of_lost(evidence)))]
    return replace(found, evidence="; ".join(said)) if found.passed else found


def _compare(seen: Observation) -> list[Comparison]:
    """In fp64 results have to be of that type, and no more precise than in fp32: honest code may go through it."""
    if seen.probe == UNDECLARED:
        return _of_both(seen)
    found = whole(seen)
    if seen.probe != DOUBLE:
        return found
    return [replace(one, dtype=torch.float32) if one.dtype == torch.float64 else one for one in found]


def _of_both(seen: Observation) -> list[Comparison]:
    """The gradients that both sides have: one that is silently lost is named elsewhere."""
    pairs = zip(seen.baseline.gradients, seen.candidate.gradients, strict=False)
    shared = {ours.path for ours, theirs in pairs if ours.tensor is not None and theirs.tensor is not None}
    return [one for one in compare_gradients(seen, by_row=False) if one.path in shared]


def said_of_cut(evidence: Evidence) -> str:
    """Named and not rejected: most honest backward passes written by hand, and all kernels, are so."""
    if not evidence.cut:
        return ""
    more = ", …" if len(evidence.cut) > NAMED else ""
    return f"no second derivatives, where the baseline has them: of {', '.join(evidence.cut[:NAMED])}{more}"


def said_of_lost(evidence: Evidence) -> str:
    """Named and not rejected: the declared inputs ask for no gradients, and most kernels have none to give."""
    if not evidence.lost:
        return ""
    more = ", …" if len(evidence.lost) > NAMED else ""
    return f"no gradients where inputs ask for them, as the baseline has: of {', '.join(evidence.lost[:NAMED])}{more}"


def said_of_gained(evidence: Evidence) -> str:
    """Where a function trains, what its baseline detaches is not to learn. Else nobody has said what is."""
    if not evidence.gained or not evidence.trains:
        return ""
    named = ", ".join(evidence.gained[:NAMED])
    return f"gradients where the baseline cuts them off, were all inputs to ask for them: {named}"


def _may_refuse(probe: Probe) -> bool:
    """A result that carries no gradient is not refused: nobody is told. Unless nobody has asked for one."""
    undeclared = probe.label.endswith((UNDECLARED, BETWEEN_UNDECLARED))
    return probe.failure is not None and (undeclared or probe.failure.phase != NO_GRADIENT)


CHECK = AuditCheck(NAME, "L3", check)
