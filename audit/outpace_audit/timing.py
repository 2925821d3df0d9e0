"""L4: process pairs. Both sides start fresh, in random order, and take turns through windows of many calls; the judge
times each window from outside. See docs/audit.md, "How time is measured"."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from outpace_audit.checks.evidence import ClockReading
from outpace_audit.errors import ArmError
from outpace_audit.perturbation import TimedPoint, row_of
from outpace_audit.records import Timing, Workload
from outpace_audit.samples import Samples, Window
from outpace_audit.seeds import SeedSource
from outpace_audit.sides import Reply, Side
from outpace_audit.stats import Estimate, estimate, median
from outpace_audit.thresholds import CALL_TIMEOUT_S, COMPILE_TIMEOUT_S, PAIR_S, SETTLE_S
from outpace_audit.window_records import RecordedCall

REST_S = {"cpu": 0.02, "cuda": 0.0}
"""Before each window. An OpenMP worker spins after its last task, for 300,000 pauses in GNU's runtime, up to 16 ms:
without this rest the side whose turn comes second ran 12% slower on two cores. A GPU's kernels do not mind."""

LEAD_SHARE = 0.1
"""Of a window's calls, run just before it: threads that a rest has put to sleep take up to a millisecond to wake."""

CALIBRATIONS = 2
"""The first look at a window's length may have met a hiccup, and a window that is too short is all hiccup."""

IDLE_WINDOWS = 2
"""Of each side, for the harness's own time."""

RECORDED_CALLS = 3
"""Of one window of each pair, repeated afterwards: some twenty calls a verdict, each as long as its pause."""

MOST_CALLS = 1 << 16
WARM_CALLS = 3


@dataclass(frozen=True, slots=True)
class Setup:
    """How one workload is timed in every pair."""

    workload: Workload
    sets: int
    cotangents: Sequence[Sequence[Any]] | None
    device: str
    rounds: int
    window_s: float
    updated: tuple[int, ...] = ()
    """Input tensors that are put back before each call."""
    fixed: tuple[int, ...] = ()
    """Those that stay as they were drawn."""


@dataclass(frozen=True, slots=True)
class TimedCall:
    """A call of a timed window: how to make its inputs again, and what it returned; with `recorded`, what it left."""

    workload: Workload
    point: TimedPoint
    sample_seed: int
    reply: Reply
    recorded: RecordedCall | None = None


@dataclass(slots=True)
class PairResult:
    """What one process pair says of one workload in one mode."""

    samples: Samples
    settled: list[tuple[str, bool]] = field(default_factory=list[tuple[str, bool]])
    kept: list[TimedCall] = field(default_factory=list[TimedCall])

    @property
    def clocks(self) -> list[ClockReading]:
        return [
            ClockReading(self.samples.workload, claims[0], seconds[0], claims[1], seconds[1])
            for claims, seconds in zip(self.samples.claimed_per_call(), self.samples.per_call(), strict=True)
        ]


@dataclass(slots=True)
class _Timed:
    """One side's window: seconds by the judge's clock, and as the arm claims them."""

    outside: float
    claim: float
    settled: bool = True


class PairTimer:
    """Times one workload on one live pair of sides."""

    def __init__(self, baseline: Side, candidate: Side, setup: Setup, seeds: SeedSource) -> None:
        self._sides = (baseline, candidate)
        self._setup = setup
        self._seeds = seeds
        self._base_seed = seeds.seed("base")
        self._kept: list[TimedCall] = []

    def run(self) -> list[PairResult]:
        """Results by mode: on CUDA graph-amortised first where both sides can be captured, then as called."""
        most = self._setup.rounds
        if self._setup.device == "cuda" and self._prepare(graph=True):
            return [self._measure(most, graph=True), self._measure(most // 2, graph=False)]
        self._prepare(graph=False)
        return [self._measure(most, graph=False)]

    def run_briefly(self) -> PairResult:
        """The first of these alone."""
        graph = self._setup.device == "cuda" and self._prepare(graph=True)
        if not graph:
            self._prepare(graph=False)
        return self._measure(self._setup.rounds, graph=graph)

    def _prepare(self, *, graph: bool) -> bool:
        """Both sides at once. False if one cannot be captured as a graph; other failures raise."""
        sides = self._seeds.shuffled("order", self._sides)
        for side in sides:
            side.post(
                "prepare",
                name=self._setup.workload.label,
                seed=self._base_seed,
                sets=self._setup.sets,
                cotangents=self._setup.cotangents,
                warm=WARM_CALLS,
                graph=graph,
                updated=self._setup.updated,
                fixed=self._setup.fixed,
            )
        failures = list[ArmError]()
        for side in sides:
            try:
                side.answer("prepare", COMPILE_TIMEOUT_S)
            except ArmError as error:
                failures.append(error)
        for error in failures:
            if not (graph and error.kind == "raised"):
                raise error
        return not failures

    def _measure(self, most_rounds: int, *, graph: bool) -> PairResult:
        calls = [0, 0]
        for i in self._order():
            calls[i] = self._calibrate(self._sides[i], graph)
        harness = self._overheads(calls, graph)
        rounds = max(3, min(most_rounds, int(PAIR_S / self._round_s(calls, graph))))
        sampled = self._seeds.below("keep", rounds)
        windows: list[Window] = []
        settled: list[tuple[str, bool]] = []
        for number in range(rounds):
            seed, order = self._seeds.seed("window"), self._order()
            timed = {i: self._window(self._sides[i], calls[i], graph, seed, take=number == sampled) for i in order}
            windows.append(
                Window(
                    seed,
                    "candidate" if order[0] else "baseline",
                    (timed[0].outside, timed[1].outside),
                    (timed[0].claim, timed[1].claim),
                )
            )
            if number == sampled:
                settled.append((f"{self._setup.workload.label}, window {number}", timed[1].settled))
        samples = self._samples(calls, harness, windows, graph)
        kept, self._kept = self._kept, []
        return PairResult(samples, settled, kept)

    def _samples(
        self, calls: Sequence[int], harness: Sequence[_Timed], windows: Sequence[Window], graph: bool
    ) -> Samples:
        scale = self._setup.sets if graph else 1
        samples = Samples(
            self._setup.workload.label,
            "graph" if graph else "as-called",
            (calls[0] * scale, calls[1] * scale),
            (harness[0].outside, harness[1].outside),
            (harness[0].claim, harness[1].claim),
            tuple(windows),
        )
        overlaps = self._setup.device == "cuda" and not graph
        return cautious(samples) if self._setup.updated and overlaps else samples

    def _order(self) -> list[int]:
        return self._seeds.shuffled("order", (0, 1))

    def _window(
        self, side: Side, calls: int, graph: bool, seed: int, *, idle: bool = False, take: bool = False
    ) -> _Timed:
        name = self._setup.workload.label
        record_seed = self._seeds.seed("keep")
        time.sleep(REST_S[self._setup.device])
        lead = 0 if idle else math.ceil((calls - 1) * LEAD_SHARE)
        side.ask("get_ready", CALL_TIMEOUT_S, name=name, lead=lead, calls=calls, graph=graph, record_seed=record_seed)
        outside, answer = side.timed(
            self._setup.workload, CALL_TIMEOUT_S, seed=seed, calls=calls, graph=graph, idle=idle
        )
        settled = True
        if take:
            settled = self._take(side, calls, graph, seed, record_seed, answer)
        return _Timed(outside, _positive(answer.get("seconds")), settled)

    def _take(self, side: Side, calls: int, graph: bool, seed: int, record_seed: int, answer: Any) -> bool:
        """Reads the last call's results, or those of one set of the last replay, and what secretly chosen calls left
        behind; which ones is said only now. On both sides alike; keeps the candidate's. True if the samples that ended
        the window are still the same."""
        workload, sets, sample_seed = self._setup.workload, self._setup.sets, self._seeds.seed("sample")
        kept = self._seeds.below("keep", sets) if graph else calls - 1
        records = [] if graph else [self._seeds.below("keep", calls) for _ in range(RECORDED_CALLS)]
        time.sleep(SETTLE_S)
        late = side.ask(
            "sample",
            CALL_TIMEOUT_S,
            name=workload.label,
            call=kept,
            last=sets - 1 if graph else calls - 1,
            window_seed=seed,
            sample_seed=sample_seed,
            records=records,
        )
        if side is self._sides[1]:
            last = self._point((calls - 1) * sets + kept if graph else kept, seed)
            self._kept.append(TimedCall(workload, last, sample_seed, side.read(late)))
            self._kept += [
                TimedCall(workload, self._point(call, seed), sample_seed, reply, RecordedCall(record_seed, call))
                for call, reply in zip(records, side.read_records(late), strict=False)
            ]
        return answer.get("early") == late.get("late_hex")

    def _point(self, call: int, window_seed: int) -> TimedPoint:
        sets = self._setup.sets
        place_seed = window_seed if self._setup.device == "cpu" else self._base_seed
        row, fixed = row_of(call, sets), self._setup.fixed
        return TimedPoint(self._base_seed, call % sets, sets, place_seed, window_seed, row, fixed)

    def _calibrate(self, side: Side, graph: bool) -> int:
        """Calls (or replays) that fill about one window; timed on this side itself."""
        calls, wanted = 1, self._setup.window_s
        while self._length(side, calls, graph) < wanted / 4 and calls < MOST_CALLS:
            calls *= 4
        for _ in range(CALIBRATIONS):
            fitting = round(calls * wanted / min(self._length(side, calls, graph) for _ in range(2)))
            calls = max(1, min(MOST_CALLS, fitting))
        return calls

    def _length(self, side: Side, calls: int, graph: bool) -> float:
        return self._window(side, calls, graph, self._seeds.seed("window")).outside

    def _overheads(self, calls: Sequence[int], graph: bool) -> list[_Timed]:
        """Windows of either side's length in which nothing but the harness runs.

        Both processes run both, in turns: what one process has done and the other not changes where its memory lies.
        The first windows are dropped. Until then the length that was measured first had the larger overhead, which made
        identical code on a GPU 0.9% slower on one side.

        Where inputs are put back, the copy may be most of it, and the process in which it took less counts: nothing
        that a candidate leaves at work makes its calls look shorter.
        """
        seen: list[dict[str, list[_Timed]]] = [{side.name: [] for side in self._sides} for _ in range(2)]
        for number in range(1 + IDLE_WINDOWS):
            for i, side in self._seeds.shuffled("order", [(i, side) for i in (0, 1) for side in self._sides]):
                window = self._window(side, calls[i], graph, self._seeds.seed("window"), idle=True)
                if number:
                    seen[i][side.name].append(window)
        if self._setup.updated:
            return [min(map(_middle, mine.values()), key=lambda one: one.outside) for mine in seen]
        return [_middle([window for windows in mine.values() for window in windows]) for mine in seen]

    def _round_s(self, calls: Sequence[int], graph: bool) -> float:
        return sum(self._length(side, n, graph) for side, n in zip(self._sides, calls, strict=True))


def cautious(samples: Samples) -> Samples:
    """With the harness's time subtracted or not, whichever shows the candidate slower. Called one by one on a GPU,
    inputs are put back while it is at work; that costs less than in a window of its own, nobody knows how much."""
    whole = replace(samples, harness=(0.0, 0.0), harness_claimed=(0.0, 0.0))
    return min(samples, whole, key=Samples.log_ratio)


def summarise(results: Sequence[PairResult], confidence: float) -> Timing:
    """All pairs of one workload and mode."""
    samples = [result.samples for result in results]
    log_ratios = tuple(one.log_ratio() for one in samples)
    baseline_s, candidate_s = (median([one.seconds()[i] for one in samples]) for i in (0, 1))
    found = estimate(log_ratios, confidence)
    return timing_of(samples[0].workload, found, samples[0].mode, log_ratios, baseline_s, candidate_s)


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


def _middle(windows: Sequence[_Timed]) -> _Timed:
    return _Timed(median([window.outside for window in windows]), median([window.claim for window in windows]))


def _positive(value: Any) -> float:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else math.nan
