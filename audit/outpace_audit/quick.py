"""A first look at several variants of one candidate: why each fails, or about how it compares with the baseline.

No verdict, and nothing of it is a gain to show: values are compared coarsely, one process of each variant is timed for
a moment beside one of the baseline. What looks best is then audited as any edit is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from outpace_audit.confirmation import setup_of
from outpace_audit.errors import ArmError, JudgeError, OutOfResources
from outpace_audit.gpu_load import Gpu
from outpace_audit.lease import device_lease
from outpace_audit.observing import new_request
from outpace_audit.records import Code, QuickLook
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply, Side
from outpace_audit.thresholds import (
    CALL_TIMEOUT_S,
    LOAD_TIMEOUT_S,
    QUICK_AT_ONCE,
    QUICK_ROUNDS,
    QUICK_TIMEOUT_S,
    QUICK_VALUES,
)
from outpace_audit.timing import PairTimer

if TYPE_CHECKING:
    from outpace_audit.judge import Judge


T = TypeVar("T")


class QuickLooks:
    """At variants of the judge's target, which the sandbox holds as it holds any candidate."""

    def __init__(self, judge: Judge, tell: Callable[[str, Any], None], limit_s: float = QUICK_TIMEOUT_S) -> None:
        """`limit_s`: of each variant, to load, compile and make its first call, and again to be timed."""
        self._judge = judge
        self._tell = tell
        self._limit_s = limit_s
        self._seeds = SeedSource()
        workloads = judge.facts.workloads
        self._calls = [(one.workload, new_request(self._seeds, one.cotangents)) for one in workloads]

    def run(self, variants: Sequence[Code]) -> list[QuickLook]:
        """One for each variant, in their order. A few start side by side and are timed one after the other, all against
        one baseline. Raises JudgeError where that fails."""
        at_once, found = QUICK_AT_ONCE[self._judge.machine.device], list[QuickLook]()
        with self._judge.memory_explained():
            for first in range(0, len(variants), at_once):
                found += self._looks(variants[first : first + at_once])
        return found

    def _looks(self, variants: Sequence[Code]) -> list[QuickLook]:
        sides: list[Side] = []
        try:
            with self._device():
                baseline, _ = self._judge.side_of(self._judge.facts.code, "baseline")
                sides.append(baseline)
                started = self._started(variants, sides)
                ours = [baseline.call(workload, CALL_TIMEOUT_S, **request) for workload, request in self._calls]
                return [self._looked(baseline, ours, one) for one in started]
        except ArmError as error:
            raise JudgeError(f"the {error.side} failed, so nothing can be compared: {error}") from error
        finally:
            for side in sides:
                side.close()

    def _started(self, variants: Sequence[Code], sides: list[Side]) -> list[tuple[Side, Reply] | QuickLook]:
        """Each with its first answer; all load and compile at once. Adds to `sides` what has to be closed."""
        until = time.monotonic() + self._limit_s
        device, source = self._judge.machine.device, self._judge.facts.code
        for code in variants:
            # Compiled kernels are known by their text, so that variants can share a cache.
            compiles = any("torch.compile" in text for text in code.texts)
            side = self._judge.launch("candidate", "variants", compiles=compiles)
            sides.append(side)
            side.deadline = until
            side.begin_load(code, source, device)
        begun = [_tried(lambda side=side: self._begin(side)) for side in sides[-len(variants) :]]
        return [
            one
            if isinstance(one, QuickLook)
            else _tried(lambda side=one: (side, side.read(side.answer("call", math.inf))))
            for one in begun
        ]

    def _begin(self, side: Side) -> Side:
        """Has it make its first call."""
        facts = self._judge.facts
        side.answer("load", LOAD_TIMEOUT_S)
        for one in facts.workloads:
            side.workload(one.workload)
        side.train(facts.trains, facts.statistics, draws=bool(facts.draws))
        workload, request = self._calls[0]
        side.post("call", name=workload.label, **request)
        return side

    def _looked(self, baseline: Side, ours: Sequence[Reply], one: tuple[Side, Reply] | QuickLook) -> QuickLook:
        return one if isinstance(one, QuickLook) else _tried(lambda: self._compared(baseline, ours, *one))

    def _compared(self, baseline: Side, ours: Sequence[Reply], side: Side, first: Reply) -> QuickLook:
        side.deadline = time.monotonic() + self._limit_s
        more = (side.call(workload, CALL_TIMEOUT_S, **request) for workload, request in self._calls[1:])
        for mine, other in zip(ours, (first, *more), strict=True):
            if wrong := difference(mine, other):
                return QuickLook(wrong)
        machine = self._judge.machine
        setups = [setup_of(one, machine, QUICK_ROUNDS[machine.device]) for one in self._judge.facts.workloads]
        samples = [PairTimer(baseline, side, setup, self._seeds).run_briefly().samples for setup in setups]
        logs, seconds = [one.log_ratio() for one in samples], [one.seconds() for one in samples]
        return QuickLook("", math.exp(sum(logs) / len(logs)), sum(s[0] for s in seconds), sum(s[1] for s in seconds))

    @contextmanager
    def _device(self) -> Generator[None]:
        """With the device for itself."""
        judge, machine = self._judge, self._judge.machine

        def waiting(text: str) -> None:
            self._tell("waiting", text)

        holder = f"{judge.facts.code.symbol} in {judge.facts.code.path}"
        with device_lease(machine, holder, waiting):
            if machine.device == "cuda":
                Gpu.of(machine).wait_until_free(waiting)
            yield


def _tried(what: Callable[[], T]) -> T | QuickLook:
    """What a variant does, or why it fails."""
    try:
        return what()
    except OutOfResources as error:
        return QuickLook(str(error), passing="memory" in str(error))
    except ArmError as error:
        if error.side != "candidate":
            raise
        return QuickLook(str(error))


def difference(ours: Reply, theirs: Reply) -> str:
    """What is plainly wrong with `theirs`, in a few words; nothing where an audit may find it right."""
    if len(ours.leaves) != len(theirs.leaves):
        return f"wrong results: {len(theirs.leaves)} tensors, not {len(ours.leaves)}"
    for mine, other in zip(ours.leaves, theirs.leaves, strict=True):
        if (mine.shape, mine.dtype) != (other.shape, other.dtype):
            return f"wrong shape: {mine.path} is {other.dtype}{list(other.shape)}, not {mine.dtype}{list(mine.shape)}"
        if mine.tensor is not None and other.tensor is not None and _far(mine.tensor, other.tensor):
            return f"wrong values: {mine.path} is off by more than {QUICK_VALUES:.0%}"
    return ""


def _far(ours: torch.Tensor, theirs: torch.Tensor) -> bool:
    a, b = (one.to(torch.complex128 if one.is_complex() else torch.float64) for one in (ours, theirs))
    finite = torch.isfinite(a)
    if not torch.equal(finite, torch.isfinite(b)):
        return True
    a, b = a[finite], b[finite]
    return bool((a - b).norm() > QUICK_VALUES * a.norm())
