"""A first look at several variants of one candidate: why each fails, or about how it compares with the baseline.

No verdict, and nothing of it is a gain to show: values are compared coarsely, one process of each variant is timed for
a moment beside one of the baseline. What looks best is then audited as any edit is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, TypeVar

import torch

from outpace_audit.confirmation import setup_of
from outpace_audit.errors import ArmError, JudgeError, OutOfResources
from outpace_audit.gpu_load import Gpu
from outpace_audit.lease import device_lease
from outpace_audit.matching import match
from outpace_audit.observing import new_request
from outpace_audit.records import Closely, Code, Match, QuickLook
from outpace_audit.samples import Samples
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply, Side, load_timeout
from outpace_audit.thresholds import (
    BUILD_TIMEOUT_S,
    CALL_TIMEOUT_S,
    QUICK_AT_ONCE,
    QUICK_ROUNDS,
    QUICK_TIMEOUT_S,
    QUICK_VALUES,
    QUICK_WINDOW_S,
)
from outpace_audit.timing import PairTimer

if TYPE_CHECKING:
    from outpace_audit.judge import Judge


T = TypeVar("T")

SEARCHES = "max-autotune"
"""Modes of torch.compile with this word measure what they compile."""


class QuickLooks:
    """At variants of the judge's target, which the sandbox holds as it holds any candidate."""

    def __init__(
        self,
        judge: Judge,
        tell: Callable[[str, Any], None],
        limit_s: float = QUICK_TIMEOUT_S,
        closely: Closely | None = None,
    ) -> None:
        """`limit_s`: of each variant, to load, compile and make its first calls, and again to be timed."""
        self._judge = judge
        self._tell = tell
        self._limit_s = closely.limit_s if closely else limit_s
        self._rounds = closely.rounds if closely else QUICK_ROUNDS[judge.machine.device]
        self._closely = closely
        self._seeds = SeedSource()
        self._sides: list[Side] = []
        """All that were started, the baseline first."""
        self._spare: list[Side] = []
        """Processes that take another variant."""
        workloads = judge.facts.workloads
        self._calls = [(one.workload, new_request(self._seeds, one.cotangents)) for one in workloads]

    def run(self, variants: Sequence[Code]) -> list[QuickLook]:
        """One for each variant, in their order. A few start side by side and are timed one after the other, all against
        one baseline. Raises JudgeError where that fails."""
        at_once, found = QUICK_AT_ONCE[self._judge.machine.device], list[QuickLook]()
        try:
            with self._judge.memory_explained():
                for first in range(0, len(variants), at_once):
                    found += self._looks(variants[first : first + at_once])
        except BaseException as error:
            self.close()
            if isinstance(error, ArmError):
                raise JudgeError(f"the {error.side} failed, so nothing can be compared: {error}") from error
            raise
        return found

    def close(self) -> None:
        """Ends the processes that have waited for another variant."""
        for side in self._sides:
            side.close()
        self._sides.clear()
        self._spare.clear()

    def __enter__(self) -> QuickLooks:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _looks(self, variants: Sequence[Code]) -> list[QuickLook]:
        with self._device():
            if not self._sides:
                self._sides.append(self._judge.side_of(self._judge.facts.code, "baseline")[0])
            baseline = self._sides[0]
            ours = [baseline.call(workload, CALL_TIMEOUT_S, **request) for workload, request in self._calls]
            ready: list[_Ready | QuickLook] = [QuickLook()] * len(variants)
            for group in _groups(variants):
                for i, one in zip(group, self._called([variants[i] for i in group], ours), strict=True):
                    ready[i] = one
            return [one if isinstance(one, QuickLook) else self._looked(baseline, one) for one in ready]

    def _called(self, variants: Sequence[Code], ours: Sequence[Reply]) -> list[_Ready | QuickLook]:
        """Each after its first call of every workload: all load and compile at once."""
        begun = time.monotonic()
        sides = [self._launched(code, begun + self._limit_s) for code in variants]
        states = [
            _tried(lambda side=side, code=code: self._loaded(side, code))
            for side, code in zip(sides, variants, strict=True)
        ]
        for number, (workload, request) in enumerate(self._calls):
            for one in states:
                if isinstance(one, _Ready):
                    one.side.post("call", name=workload.label, **request)
            for i, one in enumerate(states):
                if isinstance(one, _Ready):
                    states[i] = _tried(lambda one=one, n=number: self._compared(one, n, ours[n]))
        for side, one in zip(sides, states, strict=True):
            if isinstance(one, _Ready):
                one.compile_s = time.monotonic() - begun
            else:
                side.close()
        return states

    def _launched(self, code: Code, until: float) -> Side:
        # Compiled kernels are known by their text, so that many variants can share a cache; an audit of one of a few
        # finds its own warm.
        if self._spare and not (code.compiles or code.builds):
            side = self._spare.pop()
        else:
            # An extension is built in a folder by its name, whatever its text.
            cache_key = code.id if self._closely or code.builds else "variants"
            side = self._judge.launch("candidate", cache_key, compiles=code.compiles)
            self._sides.append(side)
        side.deadline = until + (BUILD_TIMEOUT_S if code.builds else 0.0)
        side.begin_load(code, self._judge.facts.code, self._judge.machine.device)
        return side

    def _loaded(self, side: Side, code: Code) -> _Ready:
        facts = self._judge.facts
        side.answer("load", load_timeout(code))
        for one in facts.workloads:
            side.workload(one.workload)
        side.train(facts.trains, facts.statistics, draws=bool(facts.draws))
        return _Ready(side, code.compiles or code.builds)

    def _compared(self, one: _Ready, number: int, ours: Reply) -> _Ready | QuickLook:
        """Its answer to the call of a workload, beside the baseline's."""
        theirs = one.side.read(one.side.answer("call", math.inf))
        if wrong := difference(ours, theirs):
            return QuickLook(wrong)
        label = self._calls[number][0].label
        if self._closely is not None and label in self._closely.tolerances:
            one.matches.append(match(label, ours, theirs, self._closely.tolerances[label]))
        return one

    def _looked(self, baseline: Side, one: _Ready) -> QuickLook:
        """Its process takes the next variant where nothing went wrong in it; otherwise it and its memory are gone."""
        found = _tried(lambda: self._timed(baseline, one))
        if found.failure or one.compiles or self._closely is not None:
            one.side.close()
        else:
            self._spare.append(one.side)
        return found

    def _timed(self, baseline: Side, one: _Ready) -> QuickLook:
        one.side.deadline = time.monotonic() + self._limit_s
        machine = self._judge.machine
        setups = [setup_of(w, machine, self._rounds) for w in self._judge.facts.workloads]
        if self._closely is None:
            setups = [replace(setup, window_s=QUICK_WINDOW_S[machine.device]) for setup in setups]
        samples = [PairTimer(baseline, one.side, setup, self._seeds).run_briefly().samples for setup in setups]
        logs, seconds = [self._log_ratio(s) for s in samples], [s.seconds() for s in samples]
        return QuickLook(
            ratio=math.exp(sum(logs) / len(logs)),
            baseline_s=sum(s[0] for s in seconds),
            candidate_s=sum(s[1] for s in seconds),
            samples=tuple(samples) if self._closely else (),
            matches=tuple(one.matches),
            compile_s=one.compile_s if self._closely else 0.0,
        )

    def _log_ratio(self, samples: Samples) -> float:
        """On a GPU by the arms' own events, if nothing of it is kept: a short window's start and end are longer than
        what variants differ by."""
        claimed = samples.claimed_log_ratio() if samples.mode == "graph" and self._closely is None else math.nan
        return samples.log_ratio() if math.isnan(claimed) else claimed

    @contextmanager
    def _device(self) -> Generator[None]:
        """With the device for itself."""
        judge, machine = self._judge, self._judge.machine

        def waiting(text: str) -> None:
            self._tell("waiting", text)

        holder = f"{judge.facts.code.symbol} in {judge.facts.code.path}"
        with device_lease(machine, holder, waiting):
            if machine.device == "cuda":
                Gpu.of(machine).wait_until_free(waiting, unseen=not self._sides)
            yield


@dataclass(slots=True)
class _Ready:
    """A variant that has answered all calls."""

    side: Side
    compiles: bool
    """With torch.compile or in C++: then its process keeps more of a variant than its module."""
    matches: list[Match] = field(default_factory=list[Match])
    compile_s: float = 0.0


def _groups(variants: Sequence[Code]) -> list[list[int]]:
    """Those that search for kernels by timing them compile alone; the others all at once, afterwards."""
    alone = [i for i, code in enumerate(variants) if any(SEARCHES in text for text in code.texts)]
    rest = [i for i in range(len(variants)) if i not in alone]
    return [*([i] for i in alone), *([rest] if rest else [])]


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
