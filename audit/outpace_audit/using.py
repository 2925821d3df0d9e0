"""Which other uses of a target `checks.other_uses` looks at."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from outpace_audit.checks.evidence import Observation
from outpace_audit.checks.other_uses import BETWEEN_UNDECLARED, DOUBLE, UNDECLARED
from outpace_audit.errors import ArmError
from outpace_audit.facts import TargetFacts, WorkloadFacts
from outpace_audit.observing import Trio, new_request
from outpace_audit.other_uses import is_count
from outpace_audit.scout import finite, is_finite
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, STEPS, STEPS_S

FROZEN_INPUTS = 3
"""Inputs that are frozen alone, such as the data below the first layer."""


THREADS = 2, 4
"""For torch, where the audit gives it one: more than a processor has cores does no harm."""

UNRECORDED = 2
"""Calls before one, none of which records gradients, as who calibrates a range makes them: the first one is special."""

LONE_RESULTS = 3
"""Results that are used alone: a loss of several, or features without the loss beside them."""


@dataclass(frozen=True, slots=True)
class Use:
    """`request`: what is special about the call. `before`: of a call of the candidate's that comes first."""

    label: str
    request: Mapping[str, Any]
    before: Mapping[str, Any] | None = None
    backward: bool = True
    cotangents: list[list[Any]] | None = None
    """Of more results than those that the declared inputs make learn."""
    beside: Mapping[str, Any] | None = None
    """What is otherwise in a call of the candidate's that gives the same where nothing is wrong with this use."""

    def means_something(self, ours: Reply) -> bool:
        """Where nobody declared that gradients are wanted, those have to be numbers; in fp64 only where the baseline
        stays there: else a candidate that does is no worse."""
        if "learning" in self.request:
            return bool(ours.gradients) and all(map(is_finite, ours.gradients))
        return "double" not in self.request or all(leaf.dtype != "float32" for leaf in ours.outputs)

    @property
    def redraws_state(self) -> bool:
        """Which the baseline may not bear."""
        return not self.request.keys().isdisjoint(("state", "carried", "counted", "loaded"))


def uses_of(facts: TargetFacts, one: WorkloadFacts, plain: Reply, seeds: SeedSource) -> Iterator[Use]:
    """`plain`: the baseline's reply to the quickest plain call, which says how many it may be given."""
    inside = {"mode": "inferring"} if facts.trains else {}
    if facts.trains:
        yield from _of_what_trains(plain)
        results = len(one.cotangents or ())
        for number in range(min(results, LONE_RESULTS) if results > 1 else 0):
            yield Use(f"only result {number} of those that learn used", {"alone": number})
    else:
        yield Use("gradients recorded", {"mode": "recording"})
    if any(leaf.device == "cpu" for leaf in plain.outputs):
        number = random.Random(seeds.seed("probe")).randint(*THREADS)
        yield Use("on another number of threads", {"threads": number}, backward=False)
    if any(_begin_together(one, other) for one, other in combinations(one.inspected["inputs"], 2)):
        yield Use("an input and its transpose in one memory", {"twisted": True}, backward=False)
    function = facts.code.kind != "module" and not facts.draws  # in fp64 other numbers are drawn
    settled = any(each.workload.origin == "benchmark" for each in facts.workloads)  # its folder declares types
    if function and not settled and any(leaf.dtype == "float32" for leaf in plain.outputs):
        yield Use(DOUBLE, {"double": True}, backward=False)
    if facts.code.kind != "module":
        return
    yield Use("weights in other memory", {**inside, "moved": True}, before=inside, backward=False)
    yield Use("weights replaced by new ones", {**inside, "replaced": True}, before=inside, backward=False)
    if plain.buffers:
        steps = max(2, min(STEPS, int(STEPS_S / max(plain.seconds, 1e-6))))
        yield Use("state of earlier calls", {"after": steps, "carried": True})
        if facts.trains:
            unrecorded = {"after": UNRECORDED, "carried": True, "mode": "unrecorded"}
            yield Use("state of earlier calls, no gradients recorded", unrecorded, backward=False)
        state = {"state": seeds.seed("call")}
        yield Use("other state", state)
        yield Use("another checkpoint loaded", {"loaded": seeds.seed("call")})
        if any(is_count(leaf.dtype, leaf.shape) for leaf in plain.buffers):
            yield Use("counters near their end", {"counted": seeds.seed("call")})
        if facts.trains:
            yield Use("other state, evaluating", {**state, "mode": "evaluating", "rng_seed": seeds.seed("call")})


def _begin_together(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """What `call_inputs.is_twin` sees again."""
    square = len(one["shape"]) > 1 and one["shape"][-1] == one["shape"][-2] > 1
    alike = (one["shape"], one["dtype"]) == (other["shape"], other["dtype"])
    return square and alike and bool(one["perturbable"] and other["perturbable"])


def asked_gradients(trio: Trio, one: WorkloadFacts, seeds: SeedSource) -> Iterator[Use]:
    """Of a function that does not train, where no gradient of the baseline's would be silently lost
    (`other_gradients`): whether those of the candidate are right, where values do not recur, and whether another call
    in between makes them others. (Who scatters equal values twice by repeated indices has right results, and each
    gradient twice; of equal pixels any may be the median.)"""
    try:
        seen = trio.baseline.call(one.workload, CALL_TIMEOUT_S, **new_request(seeds, None, learning=True))
    except ArmError as error:
        if error.fatal:
            raise
        return
    specs = [[list(leaf.shape), leaf.dtype] for leaf in seen.outputs if leaf.requires_grad]
    if not specs:
        return
    if not any(map(_makes_equals, one.inspected["inputs"])):
        yield Use(UNDECLARED, {"learning": True}, cotangents=specs)
    between = {"learning": True, "between": "call"}
    yield Use(BETWEEN_UNDECLARED, between, cotangents=specs, beside={"between": ""})


def _makes_equals(given: Mapping[str, Any]) -> bool:
    """Whether several elements are equal by what an input holds, of which honest code may pick any."""
    return bool(given["recurs"]) or str(given["dtype"]).startswith(("int", "uint"))


def _of_what_trains(plain: Reply) -> Iterator[Use]:
    yield Use("training without gradients", {"mode": "unrecorded"}, backward=False)
    yield Use("a second backward pass", {"twice": True})
    yield Use("cotangents laid otherwise", {"laid": True})
    yield Use("another call before the backward pass", {"between": "call"})
    yield Use("inputs overwritten before the backward pass", {"between": "inputs"})
    yield Use("results overwritten before the backward pass", {"between": "results"})
    leaves = [leaf.path.removeprefix("gradient of ") for leaf in plain.gradients]
    inputs = [leaf for leaf in leaves if leaf.startswith("input ")]
    if len(leaves) > 1:
        yield Use("some leaves frozen", {"wanted": "some"})
        for name in inputs[:FROZEN_INPUTS]:
            yield Use(f"{name} frozen", {"wanted": name})
    if len(leaves) > len(inputs):
        yield Use("gradients of an earlier step left", {"left": True})
        if inputs:
            yield Use("no parameter learns", {"wanted": "inputs"})


@dataclass(frozen=True, slots=True)
class MadeOtherwise:
    """A module whose constructor is given another number, as another part of a program gives it."""

    trio: Trio
    one: WorkloadFacts
    seeds: SeedSource
    other: tuple[int | str, int | float]

    @property
    def label(self) -> str:
        place, value = self.other
        return f"constructor argument {place} = {value}"

    def reference(self) -> tuple[Mapping[str, Any], Any, Reply, Reply | None]:
        """A request, the baseline's statistics, its reply and truth. Raises ArmError where it can't be made so."""
        request, workload = new_request(self.seeds, None), self.one.workload
        ours, statistics = self.trio.baseline.call_made_otherwise(
            workload, COMPILE_TIMEOUT_S, self.other, None, **request
        )
        truth = None
        if not self.one.truth:
            lifted = {**request, "lifted": True}
            truth, _ = self.trio.oracle.call_made_otherwise(
                workload, COMPILE_TIMEOUT_S, self.other, statistics, **lifted
            )
        return request, statistics, ours, truth

    def bears(self) -> bool:
        try:
            return finite(self.reference()[2])
        except ArmError as error:
            if error.fatal:
                raise
            return False

    def observe(self) -> Observation:
        request, statistics, ours, truth = self.reference()
        side, workload = self.trio.candidate, self.one.workload
        theirs, _ = side.call_made_otherwise(workload, COMPILE_TIMEOUT_S, self.other, statistics, **request)
        return Observation(workload.label, self.label, request, truth, ours, theirs, again=self.again)

    def again(self) -> Observation | None:
        try:
            return self.observe()
        except ArmError as error:
            if error.fatal and error.side != "candidate":
                raise
            return None


@dataclass(frozen=True, slots=True)
class Copied:
    """A copy of a module that has been called as its constructor made it, with other parameters assigned to it: what is
    averaged, sharded or loaded."""

    trio: Trio
    one: WorkloadFacts
    seeds: SeedSource

    label = "a copy of a module called as it was made, its parameters assigned anew"

    def observe(self) -> Observation:
        workload, first = self.one.workload, self.seeds.seed("call")
        request = new_request(self.seeds, self.one.cotangents)
        ours = self.trio.baseline.call_copy(workload, COMPILE_TIMEOUT_S, first, **request)
        truth = None
        if not self.one.truth:
            truth = self.trio.oracle.call(workload, COMPILE_TIMEOUT_S, lifted=True, **request)
        theirs = self.trio.candidate.call_copy(workload, COMPILE_TIMEOUT_S, first, **request)
        return self.trio.beside(workload, self.label, request, ours, truth, theirs)


def made_otherwise(trio: Trio, one: WorkloadFacts, seeds: SeedSource) -> Iterator[MadeOtherwise]:
    """For each number that the constructor is given, the first other one that the baseline can be made with."""
    for place, value in trio.baseline.ask("made_with", COMPILE_TIMEOUT_S):
        others = (2 * value, value / 2 if isinstance(value, float) else value // 2)
        tried = (MadeOtherwise(trio, one, seeds, (place, other)) for other in others if other not in (0, value))
        made = next((made for made in tried if made.bears()), None)
        if made is not None:
            yield made


def cut_leaves(trio: Trio, one: WorkloadFacts, request: Mapping[str, Any]) -> tuple[str, ...]:
    """The leaves whose gradients have derivatives on the baseline's side, and silently none on the candidate's. One
    that raises says so to its callers. Raises fatal ArmErrors."""
    bends: list[Mapping[str, str]] = []
    for side in (trio.baseline, trio.candidate):
        side.workload(one.workload)
        try:
            bends.append(side.bends(one.workload, **request))
        except ArmError as error:
            if error.fatal:
                raise
            return ()
    ours, theirs = bends
    return tuple(path for path, bend in ours.items() if bend == "bent" and theirs.get(path) == "cut")


def other_gradients(
    trio: Trio, one: WorkloadFacts, request: Mapping[str, Any]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Were all inputs to ask for gradients: whose the baseline has and the candidate silently has not, and whose the
    candidate has and the baseline cuts off. Raises fatal ArmErrors."""
    found: list[list[str]] = []
    for side in (trio.baseline, trio.candidate):
        side.workload(one.workload)
        try:
            found.append(side.ask("learns", CALL_TIMEOUT_S, name=one.workload.label, **request))
        except ArmError as error:
            if error.fatal:
                raise
            return (), ()
    ours, theirs = found
    return tuple(path for path in ours if path not in theirs), tuple(path for path in theirs if path not in ours)
