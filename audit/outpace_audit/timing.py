"""L4: process pairs. Both sides start fresh, in random order, and take turns through windows of many calls; the judge
times each window from outside. See docs/audit.md, "How time is measured"."""

from __future__ import annotations

import math
import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from outpace_audit.checks.evidence import ClockReading
from outpace_audit.errors import ArmError
from outpace_audit.perturbation import TimedPoint, row_of
from outpace_audit.records import Timing, Workload
from outpace_audit.sides import Reply, Side
from outpace_audit.stats import Estimate, estimate, median
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, PAIR_S, SETTLE_S, WINDOW_S

random = secrets.SystemRandom()

REST_S = 0.01
"""Before each window. An OpenMP worker spins for a while after its last task: without this rest the side whose turn
comes second ran 12% slower on two cores."""

WARM_CALLS = 3
SMALL_OVERHEAD = 0.5
"""The harness's own time per call is subtracted while it is at most this share of what was measured."""


@dataclass(frozen=True, slots=True)
class Setup:
    """How one workload is timed in every pair."""

    workload: Workload
    sets: int
    cotangents: Sequence[Sequence[Any]] | None
    device: str
    rounds: int


@dataclass(frozen=True, slots=True)
class TimedCall:
    """A kept call of a timed window: how to make its inputs again, and what it returned."""

    workload: Workload
    point: TimedPoint
    sample_seed: int
    reply: Reply


@dataclass(slots=True)
class PairResult:
    """What one process pair says of one workload in one mode."""

    workload: str
    mode: str
    log_ratio: float
    baseline_s: float
    candidate_s: float
    clocks: list[ClockReading] = field(default_factory=list[ClockReading])
    settled: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    samples: list[TimedCall] = field(default_factory=list[TimedCall])


@dataclass(slots=True)
class _Window:
    """Seconds by the judge's clock, and as the arm claims them."""

    outside: float
    claim: float
    settled: bool = True

    def without(self, harness: _Window) -> _Window:
        """What is left of the harness's own time, taken off up to SMALL_OVERHEAD of either."""
        return _Window(
            self.outside - min(harness.outside, self.outside * SMALL_OVERHEAD),
            self.claim - min(harness.claim, self.claim * SMALL_OVERHEAD),
            self.settled,
        )


class PairTimer:
    """Times one workload on one live pair of sides."""

    def __init__(self, baseline: Side, candidate: Side, setup: Setup) -> None:
        self._sides = (baseline, candidate)
        self._setup = setup
        self._base_seed = secrets.randbits(61)
        self._samples: list[TimedCall] = []

    def run(self, on_mode: Callable[[str], None] | None = None) -> list[PairResult]:
        """Results by mode: on CUDA graph-amortised first where both sides can be captured, then as called."""
        graph = self._setup.device == "cuda" and self._prepare(graph=True)
        if not graph:
            self._prepare(graph=False)
        modes = [True, False] if graph else [False]
        return [self._measure(graph=mode) for mode in modes]

    def _prepare(self, *, graph: bool) -> bool:
        """False if a side cannot be captured as a graph; other failures raise."""
        order = list(self._sides)
        random.shuffle(order)
        for side in order:
            try:
                side.ask(
                    "prepare",
                    COMPILE_TIMEOUT_S,
                    name=self._setup.workload.label,
                    seed=self._base_seed,
                    sets=self._setup.sets,
                    cotangents=self._setup.cotangents,
                    warm=WARM_CALLS,
                    graph=graph,
                )
            except ArmError as error:
                if graph and error.kind == "raised":
                    return False
                raise
        return True

    def _measure(self, *, graph: bool) -> PairResult:
        calls = [self._calibrate(side, graph) for side in self._sides]
        overhead = [self._overhead(n, graph) for n in calls]
        rounds = self._rounds(calls, graph)
        result = PairResult(self._setup.workload.label, "graph" if graph else "as-called", 0.0, 0.0, 0.0)
        sampled = random.randrange(rounds)
        times: list[tuple[float, float]] = []
        for number in range(rounds):
            seed = secrets.randbits(61)
            windows: dict[int, _Window] = {}
            for i in random.sample((0, 1), 2):
                window = self._window(self._sides[i], calls[i], graph, seed, take=i == 1 and number == sampled)
                windows[i] = window.without(overhead[i])
            result.clocks.append(self._reading(windows, calls, graph))
            if number == sampled:
                result.settled.append((f"{result.workload}, window {number}", windows[1].settled))
            times.append((result.clocks[-1].baseline_outside, result.clocks[-1].candidate_outside))
        result.log_ratio = median([math.log(a / b) for a, b in times])
        result.baseline_s, result.candidate_s = (median([pair[i] for pair in times]) for i in (0, 1))
        result.samples = self._samples
        self._samples = []
        return result

    def _window(
        self, side: Side, calls: int, graph: bool, seed: int, *, idle: bool = False, take: bool = False
    ) -> _Window:
        sets, name = self._setup.sets, self._setup.workload.label
        keep = random.randrange(sets if graph else calls)
        time.sleep(REST_S)
        outside, answer = side.timed(
            self._setup.workload, CALL_TIMEOUT_S, seed=seed, calls=calls, graph=graph, idle=idle, keep=keep
        )
        settled = True
        if take:
            settled = self._take(side, name, calls, graph, seed, keep, answer)
        return _Window(outside, _positive(answer.get("seconds")), settled)

    def _take(self, side: Side, name: str, calls: int, graph: bool, seed: int, keep: int, answer: Any) -> bool:
        """Reads the kept call's results; True if the samples that ended the window are still the same."""
        sets, sample_seed = self._setup.sets, secrets.randbits(61)
        time.sleep(SETTLE_S)
        late = side.ask(
            "sample",
            CALL_TIMEOUT_S,
            name=name,
            call=keep,
            last=keep if graph else calls - 1,
            window_seed=seed,
            sample_seed=sample_seed,
        )
        call = (calls - 1) * sets + keep if graph else keep
        point = TimedPoint(self._base_seed, call % sets, sets, seed, row_of(call, sets))
        self._samples.append(TimedCall(self._setup.workload, point, sample_seed, side.read(late)))
        return answer.get("early") == late.get("late_hex")

    def _calibrate(self, side: Side, graph: bool) -> int:
        """Calls (or replays) that fill about one window; timed on this side itself."""
        calls, wanted = 1, WINDOW_S[self._setup.device]
        while True:
            seconds = self._window(side, calls, graph, secrets.randbits(61)).outside
            if seconds > wanted / 4 or calls >= 1 << 16:
                return max(1, min(1 << 16, round(calls * wanted / seconds)))
            calls *= 4

    def _overhead(self, calls: int, graph: bool) -> _Window:
        """A window of this length in which nothing but the harness runs, on the baseline's side."""
        if calls == 1 and not graph:
            return _Window(0.0, 0.0)
        idle = [self._window(self._sides[0], calls, graph, secrets.randbits(61), idle=True) for _ in range(3)]
        return _Window(median([window.outside for window in idle]), median([window.claim for window in idle]))

    def _rounds(self, calls: Sequence[int], graph: bool) -> int:
        length = sum(
            self._window(side, n, graph, secrets.randbits(61)).outside
            for side, n in zip(self._sides, calls, strict=True)
        )
        return max(3, min(self._setup.rounds, int(PAIR_S / length)))

    def _reading(self, windows: dict[int, _Window], calls: Sequence[int], graph: bool) -> ClockReading:
        """Per call, the harness taken off."""
        scale = self._setup.sets if graph else 1
        return ClockReading(
            self._setup.workload.label,
            windows[0].claim / (calls[0] * scale),
            windows[0].outside / (calls[0] * scale),
            windows[1].claim / (calls[1] * scale),
            windows[1].outside / (calls[1] * scale),
        )


def summarise(results: Sequence[PairResult], confidence: float) -> Timing:
    """All pairs of one workload and mode."""
    found = estimate([result.log_ratio for result in results], confidence)
    return timing_of(
        results[0].workload,
        found,
        results[0].mode,
        tuple(result.log_ratio for result in results),
        median([result.baseline_s for result in results]),
        median([result.candidate_s for result in results]),
    )


def timing_of(
    workload: str,
    found: Estimate,
    mode: Any,
    log_ratios: tuple[float, ...],
    baseline_s: float,
    candidate_s: float,
) -> Timing:
    return Timing(
        workload=workload,
        speedup=found.ratio,
        interval=found.ratio_interval,
        confidence=found.confidence,
        pairs=found.n,
        baseline_s=baseline_s,
        candidate_s=candidate_s,
        mode=mode,
        log_ratios=log_ratios,
    )


def _positive(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
