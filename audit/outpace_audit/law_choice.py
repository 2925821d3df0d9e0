"""Which value laws are tried on a workload."""

from __future__ import annotations

from collections.abc import Iterator

from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.sides import Reply
from outpace_audit.values import SCOUTED, VALUE_LAWS

INDICES = {"int64", "int32"}
"""Types of what selects; narrower integers are quantised values."""

QUANTISED = {"int8", "uint8", "int16"}


def laws_for(facts: TargetFacts, one: WorkloadFacts, plain: Reply) -> Iterator[str]:
    """Those that change an input, and what they are compared by: what is selected by value is tied under most, so
    that targets with indices among their outputs see NaN and infinity only, and targets of integers alone all
    integers the same."""
    inputs = {str(leaf["dtype"]) for leaf in one.inspected["inputs"] if leaf["varies"]}
    outputs = {leaf.dtype for leaf in plain.outputs}
    selects = bool(outputs & INDICES)
    quantises = bool(outputs & QUANTISED)
    for name, law in VALUE_LAWS.items():
        if name in SCOUTED and name not in one.domain.integer_laws:
            wanted = False
        elif law.rounds:
            wanted = quantises and bool(inputs - INDICES)
        elif law.cotangents != 1.0:
            wanted = facts.trains and not selects
        elif law.parameters != 1.0:
            wanted = facts.code.kind == "module" and not selects
        elif law.integers:
            wanted = bool(inputs & INDICES) and (not selects or inputs | outputs <= INDICES)
        else:
            wanted = bool(inputs - INDICES) and (law.spreads or not selects)
        if wanted:
            yield name
