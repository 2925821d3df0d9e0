"""L4: a screening pair, then the confirmation over fresh process pairs, and the timed calls checked afterwards."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any, Literal

from outpace_audit.checks import timed_outputs
from outpace_audit.checks.evidence import Evidence, Observation, Probe, Repeat, StateSeen
from outpace_audit.facts import WorkloadFacts
from outpace_audit.foreign_load import LoadMeter
from outpace_audit.observing import Trio
from outpace_audit.records import Check, Machine, Timing
from outpace_audit.samples import ProcessPair
from outpace_audit.sides import Side
from outpace_audit.stats import confidence_for, estimate, median
from outpace_audit.thresholds import (
    ALPHA,
    CALL_TIMEOUT_S,
    COMPILE_TIMEOUT_S,
    FOREIGN_SHARE,
    HOPELESS_PAIRS,
    LEAST_ROUNDS,
    LOOKS,
    MIN_GAIN,
    ROUNDS,
    SCREEN,
    SCREEN_ROUNDS,
    SETTLE_S,
    SPACING_S,
    WINDOW_S,
)
from outpace_audit.timing import PairResult, PairTimer, Setup, TimedCall, summarise, timing_of

if TYPE_CHECKING:
    from outpace_audit.auditing import Listener
    from outpace_audit.judge import Judge

Pair = list[list[PairResult]]
"""For every workload its results by mode."""

SETS_CPU = 4
SETS_CUDA = (4, 32)
MEMORY_SHARE = 0.1
"""Input sets of one side may take this share of the device's memory, outputs and intermediates counted threefold."""

TRUE_SAMPLES = 2
"""Timed calls of each workload that are held against truth too: a process that answers otherwise than the checked one
shows."""

DROPPED_PAIRS = 5
PAUSE_S = 2.0
"""After so many dropped pairs the machine is taken as it is; the spread then widens the interval, and the verdict says
how busy it was."""


class Confirmation:
    """One candidate's timing."""

    def __init__(
        self,
        judge: Judge,
        evidence: Evidence,
        confirmations_before: int,
        tell: Listener,
        undisturbed: Callable[[], bool] = lambda: True,
    ) -> None:
        """`undisturbed`: asked after each pair whether the GPU was left to it; waits until it is free again."""
        self._judge = judge
        self._evidence = evidence
        self._before = confirmations_before
        self._tell = tell
        self._undisturbed = undisturbed
        self._device = evidence.machine.device
        self._foreign = 0.0
        self._first: Literal["baseline", "candidate"] = "baseline"
        self._looks = dict(LOOKS[self._device])
        self._first_pairs = min(HOPELESS_PAIRS[self._device], max(self._looks))
        self._pairs: list[Pair] = []
        self._dropped = 0
        self._started = -math.inf

    def screen(self) -> Check | None:
        """A failed check if one short pair shows that the candidate is no faster, or, where pairs need not lie apart,
        the first of the confirmation."""
        self._tell("stage", "timing one pair")
        self._started = time.monotonic()
        pair = self._pair(SCREEN_ROUNDS[self._device])
        if not self._undisturbed():
            self._publish("dropped", pair)
            pair = self._pair(SCREEN_ROUNDS[self._device])
        self._publish("screen", pair)
        found = estimate([modes[0].samples.log_ratio() for modes in pair], 0.5).ratio
        if found < SCREEN[self._device]:
            return _not_faster(f"{found:.3f}x in a first process pair", f"at least {SCREEN[self._device]:g}x", found)
        while not SPACING_S[self._device] and len(self._pairs) < self._first_pairs:
            self.take_pair()
        if not self._is_hopeless:
            return None
        seen = [math.exp(one) for one in map(_mean_log_ratio, self._pairs)]
        said = f"{', '.join(f'{one:.3f}x' for one in seen)} in the first fresh process pairs"
        return _not_faster(said, f"one of them above {1 + MIN_GAIN[self._device]:g}x", max(seen))

    @property
    def is_due(self) -> bool:
        """Whether pairs have to lie apart, the first look needs more, and the last one is long enough ago."""
        spacing = SPACING_S[self._device]
        wanted = len(self._pairs) < min(self._looks) and not self._is_hopeless
        return bool(spacing) and wanted and time.monotonic() >= self._started + spacing

    @property
    def _is_hopeless(self) -> bool:
        """Whether none of the first pairs shows a gain that could be accepted."""
        first, needed = self._pairs[: self._first_pairs], math.log1p(MIN_GAIN[self._device])
        return len(first) == self._first_pairs and all(_mean_log_ratio(pair) <= needed for pair in first)

    def take_pair(self) -> None:
        """One more, now; dropped if others computed meanwhile."""
        self._started = time.monotonic()
        self._tell("stage", f"timing fresh process pair {len(self._pairs) + 1} of at most {max(self._looks)}")
        pair = self._pair(ROUNDS[self._device])
        if self._dropped < DROPPED_PAIRS and self._met_others():
            self._dropped += 1
            self._publish("dropped", pair)
            return
        self._evidence.foreign_share = max(self._evidence.foreign_share, self._foreign)
        self._publish("confirmation", pair)
        self._pairs.append(pair)

    def run(self) -> None:
        """Takes what pairs are still wanted, and fills the timing evidence."""
        while not self._has_settled():
            time.sleep(max(0.0, self._started + SPACING_S[self._device] - time.monotonic()))
            self.take_pair()
        self._collect(self._pairs)
        self._repeat_samples([s for pair in self._pairs for modes in pair for mode in modes for s in mode.kept])

    def _has_settled(self) -> bool:
        """At a look: whether it is the last, or the interval is on one side of what is needed."""
        number, last = len(self._pairs), max(self._looks)
        if number < last and number not in self._looks and not self._is_hopeless:
            return False
        share = self._looks.get(number, 1.0)
        self._summarise(self._pairs, confidence_for(self._before, ALPHA * share))
        mean, needed = self._evidence.geomean, 1 + MIN_GAIN[self._device]
        plain = mean is not None and not mean.interval[0] <= needed <= mean.interval[1]
        return plain or self._is_hopeless or number >= last

    def _met_others(self) -> bool:
        """Whether others computed meanwhile: then it is said, and waited a moment, on a GPU until they have ended."""
        if self._foreign > FOREIGN_SHARE:
            self._tell("stage", f"other programs used {self._foreign:.0%} of the processors: that pair is dropped")
            time.sleep(PAUSE_S)
            return True
        return not self._undisturbed()

    def _pair(self, rounds: int) -> Pair:
        """From two processes that live for this pair alone."""
        baseline, candidate = self._start_pair()
        meter = LoadMeter([baseline.process.pid, candidate.process.pid])
        try:
            pair = [
                PairTimer(baseline, candidate, self._setup(one, rounds), self._evidence.seeds).run()
                for one in self._judge.facts.workloads
            ]
            self._evidence.states.append(StateSeen("timed calls", baseline.state(), candidate.state()))
            return pair
        finally:
            self._foreign = (meter.foreign_share() or 0.0) if self._device == "cpu" else 0.0
            baseline.close()
            candidate.close()

    def _publish(self, role: Literal["screen", "confirmation", "dropped"], pair: Pair) -> None:
        samples = tuple(result.samples for modes in pair for result in modes)
        self._tell("pair", ProcessPair(role, self._first, self._foreign, samples))

    def _start_pair(self) -> tuple[Side, Side]:
        wanted = [(self._evidence.baseline, "baseline"), (self._evidence.candidate, "candidate")]
        wanted = self._evidence.seeds.shuffled("order", wanted)
        self._first = "baseline" if wanted[0][1] == "baseline" else "candidate"
        started = {side.name: side for side, _ in self._judge.sides_of(wanted)}
        return started["baseline"], started["candidate"]

    def _setup(self, one: WorkloadFacts, rounds: int) -> Setup:
        shared = max(LEAST_ROUNDS, rounds // len(self._judge.facts.workloads))
        setup = setup_of(one, self._evidence.machine, min(rounds, shared))
        self._evidence.footprint_bytes[one.workload.label] = setup.sets * _bytes_of_set(one)
        return setup

    def _summarise(self, pairs: list[Pair], confidence: float) -> None:
        evidence = self._evidence
        evidence.timings, evidence.as_called = [], []
        for w in range(len(self._judge.facts.workloads)):
            modes = min(len(pair[w]) for pair in pairs)
            firsts = {pair[w][0].samples.mode for pair in pairs}
            if len(firsts) > 1:  # captured in some pairs only: what all have decides
                evidence.timings.append(summarise([pair[w][-1] for pair in pairs], confidence))
                continue
            evidence.timings.append(summarise([pair[w][0] for pair in pairs], confidence))
            if modes > 1:
                evidence.as_called.append(summarise([pair[w][1] for pair in pairs], confidence))
        evidence.geomean = self._geomean(evidence.timings, confidence)

    def _geomean(self, timings: list[Timing], confidence: float) -> Timing:
        """The mean over workloads within each pair, then over pairs."""
        per_pair = tuple(sum(column) / len(timings) for column in zip(*(t.log_ratios for t in timings), strict=True))
        found = estimate(per_pair, confidence)
        return timing_of(
            "geometric mean",
            found,
            timings[0].mode,
            per_pair,
            median([t.baseline_s for t in timings]),
            median([t.candidate_s for t in timings]),
        )

    def _collect(self, pairs: list[Pair]) -> None:
        for result in (mode for pair in pairs for modes in pair for mode in modes):
            self._evidence.clocks += result.clocks
            self._evidence.early_and_late += result.settled

    def _repeat_samples(self, samples: list[TimedCall]) -> None:
        self._tell("stage", "repeating secretly chosen timed calls in a fresh process")
        by_label: dict[str, WorkloadFacts] = {one.workload.label: one for one in self._judge.facts.workloads}
        side, _ = self._judge.side_of(self._evidence.candidate, "candidate")
        trio = self._judge.trio(side, self._evidence.seeds)
        try:
            for i, sample in enumerate(samples):
                request = self._request(sample, by_label[sample.workload.label])
                plain = side.call(sample.workload, COMPILE_TIMEOUT_S if i == 0 else CALL_TIMEOUT_S, **request)
                if not request["updated"]:  # what is not put back, the calls before may have left
                    plain = replace(plain, updated=())
                self._evidence.timed_samples.append(Repeat(sample.workload.label, sample.reply, plain))
            self._compare_with_truth(trio, samples, by_label)
        finally:
            side.close()

    def _compare_with_truth(self, trio: Trio, samples: list[TimedCall], facts: Mapping[str, WorkloadFacts]) -> None:
        """A candidate may do in every process but the first what it did not do while it was checked."""
        for label, one in facts.items():
            whole = [sample for sample in samples if sample.recorded is None and sample.workload.label == label]
            rest = iter(self._evidence.seeds.shuffled("keep", whole))
            for _ in range(TRUE_SAMPLES):
                seen = self._next_seen(trio, one, rest)
                if seen is not None:
                    self._evidence.probes[timed_outputs.NAME].append(Probe(f"{label}, a timed call", seen))

    def _next_seen(self, trio: Trio, one: WorkloadFacts, rest: Iterator[TimedCall]) -> Observation | None:
        """The next of `rest` beside truth. None where there is none, or where calls write to inputs that are not put
        back: what a timed call found in them, the calls before it had left."""
        sample = next(rest, None)
        if sample is None:
            return None
        request = self._request(sample, one)
        ours, truth = trio.reference(sample.workload, request, lifts=not one.truth)
        if not set(ours.mutated) <= set(one.updated):
            return None
        reply = replace(sample.reply, mutated=ours.mutated)  # what it wrote is compared; whether, nobody looked
        seen = trio.beside(sample.workload, "timed", request, ours, truth, reply)
        return replace(seen, again=lambda: self._next_seen(trio, one, rest))

    def _request(self, sample: TimedCall, one: WorkloadFacts) -> dict[str, Any]:
        point = sample.point
        timed = {
            "base_seed": point.base_seed,
            "set": point.set,
            "sets": point.sets,
            "place_seed": point.place_seed,
            "window_seed": point.window_seed,
            "row": point.row,
            "fixed": point.fixed,
        }
        return {
            "seed": point.base_seed,
            "sample_seed": sample.sample_seed,
            "cotangents": one.cotangents,
            "timed": timed,
            "recorded": sample.recorded and asdict(sample.recorded),
            "updated": one.updated,
            "pause_s": SETTLE_S,
        }


def _mean_log_ratio(pair: Pair) -> float:
    """Over workloads, each by the mode that decides."""
    return sum(modes[0].samples.log_ratio() for modes in pair) / len(pair)


def _not_faster(seen: str, threshold: str, speedup: float) -> Check:
    return Check("screen", "L4", False, f"{seen}: not faster", threshold, {"speedup": speedup})


def setup_of(one: WorkloadFacts, machine: Machine, rounds: int) -> Setup:
    """With so many sets of inputs that a GPU's cache does not hold them all."""
    sets = SETS_CPU
    if machine.device == "cuda":
        bytes_each = _bytes_of_set(one)
        fits = int(machine.ceilings["memory_bytes"] * MEMORY_SHARE / (3 * bytes_each))
        wanted = max(SETS_CUDA[0], int(2 * machine.ceilings["cache_bytes"] / bytes_each) + 1)
        sets = max(1, min(wanted, SETS_CUDA[1], fits))
    return Setup(
        one.workload, sets, one.cotangents, machine.device, rounds, WINDOW_S[machine.device], one.updated, one.fixed
    )


def _bytes_of_set(one: WorkloadFacts) -> int:
    return max(1, one.input_bytes + one.output_bytes)
