"""The error statistics behind a numeric check, in its numbers: both sides' errors against truth, tensor by tensor."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from outpace_audit.compare import ErrorProfile, pool

if TYPE_CHECKING:
    from outpace_audit.checks.numerics import Comparison

MOST_TENSORS = 16
"""A model has hundreds of gradients: those that are furthest above the baseline's are kept."""


def summarise(found: Mapping[tuple[str, str], Sequence[Comparison]]) -> list[dict[str, Any]]:
    """Pooled over calls, as the budget is. Without an entry: what is no float, or has no truth."""
    entries: list[tuple[float, dict[str, Any]]] = []
    for (workload, path), comparisons in found.items():
        baseline = [one.baseline() for one in comparisons if one.baseline is not None]
        candidate = [one.candidate or one.baseline() for one in comparisons if one.baseline is not None]
        if not baseline:
            continue
        ours, theirs = pool(*baseline), pool(*candidate)
        entries.append((_excess(theirs, ours), {"workload": workload, "path": path, **_sides(ours, theirs)}))
    entries.sort(key=lambda entry: -entry[0])
    return [entry for _, entry in entries[:MOST_TENSORS]]


def _excess(theirs: ErrorProfile, ours: ErrorProfile) -> float:
    return theirs.max / ours.max if ours.max else theirs.max


def _sides(ours: ErrorProfile, theirs: ErrorProfile) -> dict[str, Any]:
    return {"baseline": asdict(ours), "candidate": asdict(theirs)}
