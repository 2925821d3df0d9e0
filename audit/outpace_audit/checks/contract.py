"""L1: the candidate returns what the baseline returns: number, shape, dtype and device of outputs, real tensors, the
same plain values, and for modules the same state dict. A candidate that raises or dies where the baseline does not
fails here too."""

from __future__ import annotations

from itertools import chain

from outpace_audit.checks.evidence import AuditCheck, Evidence, Observation
from outpace_audit.records import Check
from outpace_audit.sides import LeafView, Reply

NAME = "contract"


def check(evidence: Evidence) -> Check:
    failure = evidence.candidate_failure
    if failure is not None:
        said = f"the candidate failed where the baseline ran: {failure}"
        return Check(NAME, "L1", False, said, numbers={"kind": failure.kind})
    if dict(evidence.baseline_state) != dict(evidence.candidate_state):
        changed = sorted(evidence.baseline_state.keys() ^ evidence.candidate_state.keys()) or sorted(
            name for name, spec in evidence.baseline_state.items() if evidence.candidate_state[name] != spec
        )
        return Check(NAME, "L1", False, _state_difference(evidence, changed[0]))
    for seen in evidence.observations:
        problem = difference(seen.baseline, seen.candidate, evidence.trains) or _another_container(seen)
        if problem:
            return Check(NAME, "L1", False, f"{seen.label}: {problem}")
    return Check(
        NAME,
        "L1",
        True,
        f"outputs as the baseline's in {len(evidence.observations)} calls{said_of_scattered(evidence)}",
        threshold="same number, shape, dtype, device, type",
    )


def _another_container(seen: Observation) -> str:
    """Plain ones may stand for the baseline's own."""
    others = [one for one in seen.candidate.containers if one not in seen.baseline.containers]
    if not others:
        return ""
    path, kind = others[0]
    return f"{path} is a {kind}, a type of the candidate's own that may make what it holds when it is read"


def _state_difference(evidence: Evidence, name: str) -> str:
    ours, theirs = (state.get(name, "nothing") for state in (evidence.baseline_state, evidence.candidate_state))
    return f"the state dict differs at {name!r}, {theirs} and not {ours}: checkpoints or optimizers would not take it"


def difference(baseline: Reply, candidate: Reply, trains: bool) -> str:
    """What of the contract one call breaks, or nothing."""
    if len(baseline.outputs) != len(candidate.outputs):
        return f"{len(candidate.outputs)} outputs, the baseline has {len(baseline.outputs)}"
    for ours, theirs in zip(baseline.outputs, candidate.outputs, strict=True):
        problem = _leaf_difference(ours, theirs, trains)
        if problem:
            return problem
    return ""


def said_of_scattered(evidence: Evidence) -> str:
    """Named and not rejected: layers of torch's own, recurrent ones among them, give results that lie otherwise."""
    calls = [zip(one.baseline.outputs, one.candidate.outputs, strict=True) for one in evidence.observations]
    paths = dict.fromkeys(ours.path for ours, theirs in chain(*calls) if is_dense(ours) and not is_dense(theirs))
    if not paths:
        return ""
    return f"; not contiguous, as the baseline's are, so that taking a view raises an error: {', '.join(paths)}"


def is_dense(leaf: LeafView) -> bool:
    """Whether its elements lie in the order of its dimensions, without gaps."""
    expected = 1
    for size, stride in zip(reversed(leaf.shape), reversed(leaf.stride), strict=True):
        if size > 1 and stride != expected:
            return False
        expected *= size
    return True


def _leaf_difference(ours: LeafView, theirs: LeafView, trains: bool) -> str:
    if ours.path != theirs.path:
        return f"{theirs.path} where the baseline returns {ours.path}"
    if ours.plain != theirs.plain:
        return f"{ours.path} is {theirs.plain or 'a tensor'}, the baseline's is {ours.plain or 'a tensor'}"
    for what in ("shape", "dtype", "device"):
        if getattr(ours, what) != getattr(theirs, what):
            return f"{ours.path} has {what} {getattr(theirs, what)}, the baseline's {getattr(ours, what)}"
    if trains and ours.requires_grad != theirs.requires_grad:
        return f"{ours.path} {'lost' if ours.requires_grad else 'gained'} its gradient"
    if theirs.inference and not ours.inference:
        return (
            f"{ours.path} is made in inference mode: it can be neither changed in place nor saved for a backward pass"
        )
    overlaps = any(stride == 0 and size > 1 for stride, size in zip(theirs.stride, theirs.shape, strict=True))
    if overlaps and 0 not in theirs.shape and 0 not in ours.stride:
        return f"{ours.path} overlaps itself (stride 0), the baseline's does not"
    return ""


CHECK = AuditCheck(NAME, "L1", check)
