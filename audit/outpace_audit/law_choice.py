"""Which value laws are tried on a workload, and what the sides give under one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch

from outpace_audit.checks.evidence import Observation
from outpace_audit.compare import rms
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.observing import Trio, new_request
from outpace_audit.scout import finite, is_calm, is_finite
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply
from outpace_audit.thresholds import CALL_TIMEOUT_S
from outpace_audit.values import HUGE, MOVES, SCOUTED, VALUE_LAWS

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
        elif law.data:
            wanted = True
        elif law.rounds:
            wanted = quantises and bool(inputs - INDICES)
        elif law.cotangents != 1.0:
            wanted = facts.trains and not selects
        elif law.parameters != 1.0:
            wanted = facts.code.kind == "module" and not selects
        elif law.integers:
            wanted = bool(inputs & INDICES) and (not selects or inputs | outputs <= {*INDICES, "bool"})
        else:
            wanted = bool(inputs - INDICES) and (law.spreads or not selects)
        if wanted:
            yield name


RIGHT = 2.0**-6
"""Of a result's size, what a baseline may be off where it is right, in bf16 too."""


GROWN = HUGE * 2.0**-32
"""The size of a result that grows as what is huge does, also after a scale is taken out of it."""


def tells_when_huge(ours: Reply, truth: Reply) -> bool:
    """Whether the baseline is right, and grows as its input does or says yes or no of it. Not where something overflows
    and comes out as a nought: the variance of what is huge divides all to nothing. Nor where a result stays small: what
    is left of differences of huge numbers, in a softmax, hangs on the order of honest sums."""
    pairs = [(one.tensor, other.tensor) for one, other in zip(ours.outputs, truth.outputs, strict=True)]
    floats = [(a.double(), b.double()) for a, b in pairs if a is not None and b is not None and a.is_floating_point()]
    return all(rms(a - b) <= RIGHT * rms(b) and (rms(b) >= GROWN or _is_answer(b)) for a, b in floats)


def _is_answer(result: torch.Tensor) -> bool:
    return result.numel() == 1 and bool(((result == 0) | (result == 1)).all())


def under_law(
    trio: Trio, one: WorkloadFacts, name: str, seeds: SeedSource, plain: Reply
) -> Callable[[], Observation] | None:
    """Calls the candidate beside the others; None where the baseline's results mean nothing under this law, or are
    about to overflow, unlike those of the `plain` call, or its integers do so on the way."""
    law = VALUE_LAWS[name]
    request = new_request(
        seeds, None if law.finite or law.single else one.cotangents, values=name, cotangent_scale=law.cotangents
    )
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

    if (law.single and not tells_when_huge(ours, truth)) or truth.overflowed:
        return None

    def swayed() -> Sequence[Reply]:
        requests = ({**request, "values": move} for move in MOVES)
        return [trio.oracle.call(one.workload, CALL_TIMEOUT_S, lifted=True, **moved) for moved in requests]

    return lambda: replace(trio.compare(one.workload, name, request, ours, truth), swayed=swayed)
