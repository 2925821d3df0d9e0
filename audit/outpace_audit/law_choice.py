"""Which value laws are tried on a workload, and what the sides give under one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from outpace_audit.checks.evidence import Observation
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.observing import Trio, new_request
from outpace_audit.scout import finite, is_calm, is_finite
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply
from outpace_audit.thresholds import CALL_TIMEOUT_S
from outpace_audit.values import MOVES, SCOUTED, VALUE_LAWS

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


def under_law(
    trio: Trio, one: WorkloadFacts, name: str, seeds: SeedSource, plain: Reply
) -> Callable[[], Observation] | None:
    """Calls the candidate beside the others; None where the baseline's results mean nothing under this law, or are
    about to overflow, unlike those of the `plain` call."""
    law = VALUE_LAWS[name]
    request = new_request(seeds, None if law.finite else one.cotangents, values=name, cotangent_scale=law.cotangents)
    try:
        ours, truth = trio.reference(one.workload, request, lifts=True)
        assert truth is not None, "targets without truth see no value law"
        steps = (*ours.gradients, *truth.gradients)
        if steps and not law.spreads and not (all(map(is_finite, steps)) and is_calm(plain, ours, truth)):
            # The derivative of a root at zero: a candidate that has a better answer there is none the worse.
            request["cotangents"] = None
            ours, truth = trio.reference(one.workload, request, lifts=True)
            assert truth is not None
    except ArmError as error:
        if error.fatal:
            raise
        return None
    if not law.spreads and not (finite(ours) and finite(truth) and is_calm(plain, ours, truth)):
        return None

    def swayed() -> Sequence[Reply]:
        requests = ({**request, "values": move} for move in MOVES)
        return [trio.oracle.call(one.workload, CALL_TIMEOUT_S, lifted=True, **moved) for moved in requests]

    return lambda: replace(trio.compare(one.workload, name, request, ours, truth), swayed=swayed)
