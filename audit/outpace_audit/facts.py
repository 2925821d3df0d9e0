"""What the judge learns of a baseline before any candidate: how it is called, whether it trains, and its truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outpace_audit.compare import error_profile
from outpace_audit.domain import Domain, explore
from outpace_audit.errors import ArmError, NothingVaries, OutOfResources, TargetError
from outpace_audit.records import Code, Seeds, Workload
from outpace_audit.renewal import renewed
from outpace_audit.seeds import SeedSource
from outpace_audit.shapes import DRAWN
from outpace_audit.sides import Reply, Side, load_timeout, same_leaves
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S

NEAR = 2.0**-5
"""A call that draws the same numbers in bf16 and in fp64 is off by less in most elements; other numbers are off by all
of their size."""


@dataclass(frozen=True, slots=True)
class WorkloadFacts:
    """One workload of the baseline. Sizes in bytes, `seconds` of one plain call after the first."""

    workload: Workload
    cotangents: list[list[Any]] | None
    input_bytes: int
    output_bytes: int
    unavoidable_bytes: int
    seconds: float
    truth: str
    """"" if truth can be had, else why not."""
    inspected: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the arm found the inputs to be; see `Arm._inspect`."""
    draws: str = ""
    """The operator that drew random numbers."""
    domain: Domain = field(default_factory=Domain)
    fixed: tuple[int, ...] = ()
    """The input tensors that it raises on where a few elements are others of the same tensor: sizes, places."""

    @property
    def updated(self) -> tuple[int, ...]:
        """The input tensors that have to be put back before each timed call: a call on what another left in them gives
        something else."""
        return tuple(self.inspected.get("updated", ()))


@dataclass(frozen=True, slots=True)
class TargetFacts:
    code: Code
    device: str
    trains: bool
    statistics: Mapping[str, Sequence[float]]
    state: Mapping[str, Any]
    workloads: tuple[WorkloadFacts, ...]
    seeds: Seeds
    """Revealed at once: no candidate has been seen yet."""
    drops: bool = False
    """It has dropout, and trains."""
    draws: str = ""
    """The operator by which it draws random numbers, with dropout off."""
    notes: tuple[str, ...] = ()

    @property
    def truth(self) -> str:
        missing = next((facts.truth for facts in self.workloads if facts.truth), "")
        return f"the baseline itself ({missing})" if missing else "fp64, every operation lifted"


@dataclass(slots=True)
class _Learning:
    scout: Callable[[], Side]
    """A process that has loaded the baseline and may die of what it is asked."""
    notes: list[str] = field(default_factory=list[str])
    seeds: SeedSource = field(default_factory=SeedSource)


def learn(
    oracle: Side,
    code: Code,
    workloads: Sequence[Workload],
    device: str,
    launch: Callable[[], Side],
    *,
    inference: bool,
) -> TargetFacts:
    """Loads the baseline in the oracle and asks. Raises TargetError with what to do where it cannot be audited.
    `launch`: another process for it, which may die."""
    try:
        oracle.begin_load(code, code, device)
        loaded = oracle.answer("load", load_timeout(code))
    except ArmError as error:
        raise TargetError(f"{code.path}: importing it failed: {error}") from error

    def scout() -> Side:
        side = launch()
        side.begin_load(code, code, device)
        side.answer("load", load_timeout(code))
        return side

    learning = _Learning(scout)
    inspected = _inspect_all(oracle, code, workloads, learning)
    trains = not inference and any(answer["wants_gradients"] and answer["differentiable"] for _, answer in inspected)
    oracle.train(trains)
    facts = [_measure(oracle, code, workload, answer, trains, learning.seeds) for workload, answer in inspected]
    drops = trains and bool(loaded["drops"])
    draws = next((one.draws for one in facts if one.draws), "")
    return TargetFacts(
        code, device, trains, loaded["statistics"], loaded["state"], tuple(facts), learning.seeds.revealed(), drops,
        draws, tuple(learning.notes),
    )  # fmt: skip


def explored(facts: TargetFacts, launch: Callable[[], Side]) -> TargetFacts:
    """The facts with what the baseline runs beyond its declared inputs. `launch`: a process that may die of it."""
    known: list[WorkloadFacts] = []
    notes = list(facts.notes)
    for one in facts.workloads:
        domain, said = explore(launch, one.workload, one.inspected, one.cotangents)
        known.append(replace(one, domain=domain))
        notes += said
    return replace(facts, workloads=tuple(known), notes=tuple(notes))


def _inspect_all(
    oracle: Side, code: Code, workloads: Sequence[Workload], learning: _Learning
) -> list[tuple[Workload, dict[str, Any]]]:
    """Without those of which nothing varies, unless that is all of them."""
    found: list[tuple[Workload, dict[str, Any]]] = []
    refused: list[NothingVaries] = []
    for workload in workloads:
        try:
            found.append(_inspect(oracle, code, workload, learning))
        except NothingVaries as error:
            refused.append(error)
    if refused and not found:
        raise refused[0]
    learning.notes += [f"left out: {error}" for error in refused]
    return found


def _inspect(oracle: Side, code: Code, workload: Workload, learning: _Learning) -> tuple[Workload, dict[str, Any]]:
    where = f"{code.path}, {code.symbol}, {workload.label}"
    answer = _answered(oracle, code, workload, learning)
    inputs = answer["inputs"]
    if answer["unwatched"]:
        raise TargetError(
            f"{where}: {answer['unwatched'][0]}, whose tensors are not seen; hand them over as tensors, or in tuples, "
            "lists and dicts"
        )
    if answer["uncompared"]:
        raise TargetError(
            f"{where}: {answer['uncompared'][0]}, which cannot be compared; return tensors and plain values, alone or "
            "in tuples, lists, dicts and dataclasses, or name a part that does"
        )
    if not inputs:
        raise TargetError(f"{where}: it takes no tensor, so there is nothing to vary and nothing to time honestly")
    if not all(one["repeats"] for one in inputs):
        raise TargetError(
            f"{where}: its inputs differ under the same seed; draw them with torch, random or numpy.random"
        )
    if answer["moves"]:
        raise TargetError(
            f"{where}: it gives an input other storage or another shape, which cannot be put back before each timed "
            "call; write into the input, or return the new values instead"
        )
    if workload.maker in DRAWN:
        if not any(one["varies"] for one in inputs):
            raise TargetError(f"{where}: its inputs are always the same: give one of them a law that the seed decides")
    elif answer["still"]:
        drawn, notes = renewed(workload, answer, learning.scout, learning.seeds.seed("target"))
        learning.notes += notes
        if drawn is not workload:
            return drawn, _answered(oracle, code, drawn, learning)
    return workload, answer


def _answered(oracle: Side, code: Code, workload: Workload, learning: _Learning) -> dict[str, Any]:
    try:
        oracle.workload(workload)
        return oracle.ask("inspect", COMPILE_TIMEOUT_S, name=workload.label, seed=learning.seeds.seed("target"))
    except ArmError as error:
        what = "its inputs cannot be made" if error.phase == "inputs" else "the baseline itself fails"
        raise TargetError(f"{code.path}, {code.symbol}, {workload.label}: {what}: {error}") from error


def _measure(
    oracle: Side, code: Code, workload: Workload, answer: dict[str, Any], trains: bool, seeds: SeedSource
) -> WorkloadFacts:
    where = f"{code.path}, {code.symbol}, {workload.label}"
    cotangents = answer["differentiable"] if trains else None
    request = {"seed": seeds.seed("target"), "sample_seed": seeds.seed("target"), "cotangents": cotangents}
    plain, impact = _try_plain(oracle, where, workload, request, seeds)
    missing, draws = _try_truth(oracle, workload, request)
    if code.builds and not missing and not draws:
        missing = _misread(oracle, workload, request)
    if draws:
        oracle.train(trains, draws=True)
        plain, impact = _try_plain(oracle, where, workload, request, seeds)
        _draw_alike(oracle, where, workload, request, draws)
    output_bytes = int(impact["output_bytes"])
    return WorkloadFacts(
        workload,
        cotangents,
        sum(one["bytes"] for one in answer["inputs"]),
        output_bytes,
        output_bytes + int(impact["input_bytes"]),
        plain.seconds,
        missing,
        answer,
        draws=draws,
        fixed=tuple(int(i) for i in impact["fixed"]),
    )


def _try_plain(
    oracle: Side, where: str, workload: Workload, request: Mapping[str, Any], seeds: SeedSource
) -> tuple[Reply, Mapping[str, Any]]:
    """The second call, and which inputs it needs."""
    try:
        oracle.call(workload, COMPILE_TIMEOUT_S, **request)
        plain = oracle.call(workload, COMPILE_TIMEOUT_S, **request)
        impact = oracle.ask("impact", COMPILE_TIMEOUT_S, name=workload.label, seed=seeds.seed("target"))
    except ArmError as error:
        raise TargetError(f"{where}: the baseline itself fails: {error}") from error
    return plain, impact


def _try_truth(oracle: Side, workload: Workload, request: Mapping[str, Any]) -> tuple[str, str]:
    """Why truth cannot be had, or nothing, and the operator that drew random numbers, if one did."""
    try:
        truth = oracle.call(workload, COMPILE_TIMEOUT_S, lifted=True, **request)
    except OutOfResources:
        return "fp64 did not fit the memory", ""
    except ArmError as error:
        if error.kind != "raised":
            raise
        return f"not liftable: {error}", ""
    return "", truth.drew_random


def _misread(oracle: Side, workload: Workload, request: Mapping[str, Any]) -> str:
    """Of what builds C++: such code may take a pointer for one to fp32, whatever lies there. It then reads halves of
    fp64 numbers, without a word."""
    plain = oracle.call(workload, CALL_TIMEOUT_S, **request)
    truth = oracle.call(workload, COMPILE_TIMEOUT_S, lifted=True, **request)
    # Halves of numbers may be so large that all else is small beside them.
    alike = _near(plain, truth) and _near(truth, plain)
    return "" if alike else "not liftable: its C++ gives something else for fp64"


def _draw_alike(oracle: Side, where: str, workload: Workload, request: Mapping[str, Any], draws: str) -> None:
    """Raises TargetError where a call draws other numbers from the same state of the generators, or truth does."""
    ours, again = (oracle.call(workload, CALL_TIMEOUT_S, **request) for _ in range(2))
    truth = oracle.call(workload, COMPILE_TIMEOUT_S, lifted=True, **request)
    why = ""
    if not same_leaves(ours.outputs, again.outputs):
        why = "that differ from call to call in the same state of torch's generators"
    elif ours.generator != truth.generator or not _near(ours, truth):
        why = "of which fp64 has others"
    if why:
        dropout = "dropout" in draws or draws.startswith("bernoulli")
        advice = "set its dropout to 0" if dropout else "take them as an argument, or name a part that draws none"
        raise TargetError(f"{where}: it draws random numbers ({draws}) {why}, so two runs cannot be compared; {advice}")


def _near(ours: Reply, truth: Reply) -> bool:
    """Most of the elements are, as those of other noise are not."""
    pairs = zip(ours.outputs, truth.outputs, strict=True)
    floats = [(a.tensor, b.tensor) for a, b in pairs if a.tensor is not None and b.tensor is not None]
    return all(
        error_profile(a, b).q50 < NEAR if a.is_floating_point() else float((a == b).double().mean()) > 1 - NEAR
        for a, b in floats
        if a.numel()
    )
