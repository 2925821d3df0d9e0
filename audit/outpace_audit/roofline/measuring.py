"""Measures one target in the judge: its work in one arm, its time in two more, the machine's ceilings in a bare one."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from outpace_audit.codec import decode
from outpace_audit.confirmation import setup_of
from outpace_audit.errors import ArmError, TargetError
from outpace_audit.facts import WorkloadFacts
from outpace_audit.foreign_load import LoadMeter
from outpace_audit.gpu_load import Gpu
from outpace_audit.lease import device_lease
from outpace_audit.records import Code, Workload
from outpace_audit.roofline.records import FORMAT, CallTime, Ceilings, Measured, Point, Work
from outpace_audit.samples import Samples
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Side
from outpace_audit.thresholds import COMPILE_TIMEOUT_S, ROUNDS, WINDOW_S
from outpace_audit.timing import PairTimer, Setup

if TYPE_CHECKING:
    from outpace_audit.judge import Judge

CEILINGS_S = 300.0
"""For all ceilings of a slow machine; tens of seconds are usual."""
SETS = (4, 32)
"""Fewest and most sets of inputs that the timed calls rotate through."""
SETS_SHARE = 0.1
"""Of the free memory, for all sets with what a call makes of them, which is counted threefold."""

Tell = Callable[[str], None]


def measure_ceilings(judge: Judge, tell: Tell) -> Ceilings:
    """Holds the device. Raises ArmError where not even memory can be timed."""
    machine = judge.machine
    with device_lease(machine, "ceilings of the roofline", tell):
        _wait(judge, tell)
        side = judge.launch("ceilings", "baseline")
        meter = LoadMeter([side.process.pid])
        try:
            tell("measuring what this machine can do")
            found = side.ask("ceilings", CEILINGS_S, device=machine.device)
            foreign = meter.foreign_share() if machine.device == "cpu" else None
        finally:
            side.close()
    known = {
        "format": FORMAT, "device": machine.device, "name": machine.name, "uuid": machine.uuid,
        "driver": machine.driver, "torch": machine.torch, "foreign_share": foreign, "measured_at": time.time(),
    }  # fmt: skip
    return decode(Ceilings, {**found, **known})


def measure_target(
    judge: Judge, code: Code, workloads: Sequence[Workload], ceilings: Ceilings, tell: Tell, *, inference: bool
) -> Measured:
    """Raises TargetError where the target cannot be called, as an audit of it would."""
    tell(f"counting what {code.symbol} does")
    facts = judge.set_target(code, workloads, inference=inference, scouts=False)
    works, free = _works(judge)
    setups = [_setup(one, facts.device, ceilings.cache_bytes, free) for one in facts.workloads]
    times, foreign = _timed(judge, code, setups, tell)
    points = [
        Point(setup.workload.label, work, tuple(found), setup.sets)
        for setup, work, found in zip(setups, works, times, strict=True)
    ]
    return Measured(facts.trains, code.compiles, tuple(points), foreign, facts.notes)


def measure_work(judge: Judge, ceilings: Ceilings, tell: Tell) -> Measured:
    """Of the target that the judge has, without times. `sets` are those that an audit's timing goes round in."""
    facts = judge.facts
    tell(f"counting what {facts.code.symbol} does")
    works, _ = _works(judge)
    points = [
        Point(one.workload.label, work, (), setup_of(one, judge.machine, 1).sets)
        for one, work in zip(facts.workloads, works, strict=True)
    ]
    return Measured(facts.trains, facts.code.compiles, tuple(points), None, facts.notes)


def _works(judge: Judge) -> tuple[list[Work], float]:
    """Of each workload, and how many bytes are free beside one process."""
    facts = judge.facts
    code = facts.code
    counting, _ = judge.side_of(code, "counted process")
    seeds = SeedSource()
    try:
        works = [_work(counting, one, code, seeds.seed("target")) for one in facts.workloads]
        return works, float(counting.ask("free", COMPILE_TIMEOUT_S, device=facts.device))
    except ArmError as error:
        raise TargetError(f"{code.path}, {code.symbol}: its work cannot be counted: {error}") from error
    finally:
        counting.close()


def _work(side: Side, one: WorkloadFacts, code: Code, seed: int) -> Work:
    found: Mapping[str, Any] = side.ask(
        "work", COMPILE_TIMEOUT_S, name=one.workload.label, seed=seed, cotangents=one.cotangents
    )
    return decode(Work, found)


def _setup(one: WorkloadFacts, device: str, cache: float, free: float) -> Setup:
    """So many sets of inputs that the last-level cache cannot hold them, where memory allows."""
    each = max(1, one.input_bytes + one.output_bytes)
    fits = int(free * SETS_SHARE / (3 * each))
    sets = max(1, min(max(SETS[0], int(2 * cache / each) + 1), SETS[1], fits))
    return Setup(one.workload, sets, one.cotangents, device, ROUNDS[device], WINDOW_S[device], one.updated, one.fixed)


def _timed(judge: Judge, code: Code, setups: Sequence[Setup], tell: Tell) -> tuple[list[list[CallTime]], float | None]:
    """By workload and mode, in two processes of the same code; and what others used of the processors meanwhile."""
    with device_lease(judge.machine, f"roofline of {code.symbol} in {code.path}", tell):
        _wait(judge, tell)
        tell(f"timing {code.symbol} in two processes")
        sides = [side for side, _ in judge.sides_of([(code, "first process"), (code, "second process")])]
        meter = LoadMeter([side.process.pid for side in sides])
        try:
            seeds = SeedSource()
            results = [PairTimer(sides[0], sides[1], setup, seeds).run() for setup in setups]
            foreign = meter.foreign_share() if judge.machine.device == "cpu" else None
        except ArmError as error:
            raise TargetError(f"{code.path}, {code.symbol}: failed while it was timed: {error}") from error
        finally:
            for side in sides:
                side.close()
    return [[call_time(mode.samples) for mode in modes] for modes in results], foreign


def call_time(samples: Samples) -> CallTime:
    first, second = samples.seconds()
    both = [seconds for window in samples.per_call() for seconds in window]
    low, middle, high = statistics.quantiles(both, n=4)
    return CallTime(samples.mode, middle, low, high, len(both), max(first, second) / min(first, second) - 1)


def _wait(judge: Judge, tell: Tell) -> None:
    if judge.machine.device == "cuda":
        Gpu.of(judge.machine).wait_until_free(tell, unseen=True)
