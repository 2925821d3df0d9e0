"""What sound runs of a baseline show that is no failure, and that a user has to know."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Sequence

from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.run import RunResult

ALIKE = 1e-3
"""Relative difference of two first values that rounding may make; another order of the data makes more."""
TWICE = 2.0


def notes(runs: Sequence[RunResult], again: RunResult | None, target: TrainingTarget) -> Iterator[str]:
    """Of the baseline's finished runs; `again` is the first one repeated with its seed."""
    yield from _of_steps(runs, target)
    yield from _of_time(runs, target)
    starts = [run.curve[0][2] for run in runs if len(run.curve) > 1]
    if len(starts) == len(runs) and all(
        target.gain(start, run.curve[-1][2]) < 0 for start, run in zip(starts, runs, strict=True)
    ):
        yield "every run of the baseline ends worse than it began: is direction right, does it train?"
    if again is not None:
        yield from _of_repeat(runs[0], again, statistics.stdev(run.value or 0.0 for run in runs))


def _of_steps(runs: Sequence[RunResult], target: TrainingTarget) -> Iterator[str]:
    if target.budget.unit != "steps":
        return
    last = [run.curve[-1][1] for run in runs if run.curve]
    if all(step is None for step in last):
        yield "metric has no step, so that a budget of steps is the script's word: print it, or name a group `step`"
    elif all(step is not None and step + 1 < target.budget.amount * 0.9 for step in last):
        yield f"the baseline's last metric is that of step {last[0]} of {target.budget}: is the script told its budget?"


def _of_time(runs: Sequence[RunResult], target: TrainingTarget) -> Iterator[str]:
    usual = statistics.median(run.outside_s for run in runs)
    if target.budget.unit == "seconds" and usual > TWICE * target.budget.amount:
        rest = usual - target.budget.amount
        yield (
            f"a run takes {usual:.3g} s for a budget of {target.budget}: {rest:.3g} s are outside its own clock "
            "(start, compiling, evaluation), and are not part of the comparison"
        )


def _of_repeat(first: RunResult, again: RunResult, spread: float) -> Iterator[str]:
    if _values(first) == _values(again):
        return
    one, other = (run.curve[0][2] for run in (first, again))
    if abs(one - other) > ALIKE * max(abs(one), abs(other)):
        yield (
            f"with the same seed two runs differ from their first metric on ({one:.6g} and {other:.6g}): something is "
            "drawn without the seed, such as the order of the data: seed the loader's generator and its workers"
        )
        return
    apart = abs((first.value or 0.0) - (again.value or 0.0))
    yield (
        f"with the same seed two runs begin alike and end {apart:.3g} apart (seeds spread by {spread:.3g}): sums that "
        "are not repeatable; runs are compared over seeds, so that this does no harm"
    )


def _values(run: RunResult) -> list[tuple[int | None, float]]:
    return [(step, value) for _, step, value in run.curve]
