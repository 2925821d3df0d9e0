"""A run as it goes on: its loss curve from the lines that it prints, and when to give it up."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from outpace_optimizers.training.config import TrainingTarget

Outcome: TypeAlias = Literal[
    "finished", "crashed", "out-of-memory", "diverged", "hopeless", "no-metric", "over-budget", "timed-out", "no-losses"
]
Point: TypeAlias = tuple[float, int | None, float]
"""Seconds since the command began, by the outside clock; the step where it is printed; the metric."""
CpuPoint: TypeAlias = tuple[float, float]
"""Seconds since the command began, and those of all processors that it and whatever it has started took so far."""
CPU_EVERY_S = 0.02
"""How often that is read, at most: it takes a tenth of a millisecond for each process."""
LEAST_CPU_S = 0.02
"""What has ended the kernel counts by hundredths of a second."""
MOST_POINTS = 100_000
CLOCK_SLACK = 1.05
"""A script that looks at its clock once a step trains a little longer than it was told to."""
HALF = 0.5
"""Of its budget a run may train as it likes: warm-ups and high rates look bad at first."""


@dataclass(frozen=True, slots=True)
class Stop:
    outcome: Outcome
    reason: str


@dataclass(slots=True)
class Watch:
    """`worst`: the worst value that a run of the baseline printed, once known. `usual_s`: how long they took.
    `beside_decoy`: the values are of a text that says nothing."""

    target: TrainingTarget
    worst: float | None = None
    usual_s: float | None = None
    beside_decoy: bool = False
    points: list[Point] = field(default_factory=list[Point])
    claimed_s: float | None = None
    stopped: Stop | None = None
    """By what stands in a file, which is read afterwards."""

    def feed(self, line: str, at_s: float) -> Stop | None:
        """What ends the run, if anything does."""
        if self.target.time is not None and (claimed := self.target.time.value(line)) is not None:
            self.claimed_s = claimed
        return self.take(*self.target.metric.point(line), at_s)

    def take(self, value: float | None, step: int | None, at_s: float) -> Stop | None:
        """As `feed`, of one point."""
        if value is not None and len(self.points) < MOST_POINTS:
            self.points.append((at_s, step, value))
        if (over := self._over_budget(step)) is not None or value is None or self.beside_decoy:
            return over
        return self._lost(value, step, at_s)

    def _over_budget(self, step: int | None) -> Stop | None:
        budget = self.target.budget
        if budget.unit == "steps" and step is not None and step > budget.amount:
            return Stop("over-budget", f"it is at step {step} of {budget}")
        if budget.unit == "seconds" and self.claimed_s is not None and self.claimed_s > budget.amount * CLOCK_SLACK:
            return Stop("over-budget", f"it says that it trained for {self.claimed_s:.4g} s of {budget}")
        return None

    def _lost(self, value: float, step: int | None, at_s: float) -> Stop | None:
        where = f"at step {step}" if step is not None else f"after {at_s:.1f} s"
        if not math.isfinite(value):
            return Stop("diverged", f"the metric is {value} {where}")
        if self.worst is None or self._share_used(step, at_s) < HALF:
            return None
        if self.target.gain(self.worst, value) < 0:
            return Stop("hopeless", f"{value:.5g} {where}, worse than {self.worst:.5g}, the worst of the baseline")
        return None

    def _share_used(self, step: int | None, at_s: float) -> float:
        if self.target.budget.unit == "steps" and step is not None:
            return step / self.target.budget.amount
        return at_s / self.usual_s if self.usual_s else 0.0


def busy_s(points: Sequence[Point], cpu: Sequence[CpuPoint]) -> float | None:
    """Of all processors for a step, between the first and the last that was printed; None where too little was seen."""
    known = [(at_s, step) for at_s, step, _ in points if step is not None]
    if len(known) < 2 or known[-1][1] <= known[0][1]:
        return None
    first, last = (_so_far(cpu, at_s) for at_s, _ in (known[0], known[-1]))
    if first is None or last is None or last - first < LEAST_CPU_S:
        return None
    return (last - first) / (known[-1][1] - known[0][1])


def waited(points: Sequence[Point], cpu: Sequence[CpuPoint]) -> float | None:
    """How many times as long as the processors worked for it the run took to its first printed step: more than once
    where others had them meanwhile."""
    begun_s = next((at_s for at_s, step, _ in points if step is not None), None)
    used = _so_far(cpu, begun_s) if begun_s is not None else None
    return begun_s / used if begun_s is not None and used else None


def _so_far(cpu: Sequence[CpuPoint], at_s: float) -> float | None:
    return max((used for seen_s, used in cpu if seen_s <= at_s + CPU_EVERY_S), default=None)
