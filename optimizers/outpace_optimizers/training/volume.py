"""Does a candidate train on more than the baseline, or evaluate on less? Counted inside, in a run of its own."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Sequence

from outpace_audit.records import Check
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.models import not_run
from outpace_optimizers.training.run import Counted, RunResult
from outpace_optimizers.training.store import Side
from outpace_optimizers.training.welch import compare

NAME, EVALUATION = "training-volume", "evaluation-volume"
MORE = 1.05
"""Times as much as the baseline. Last batches of an epoch that are kept or dropped, and the step in which a run notices
that its budget is over, come to less in a run of twenty steps or more; what so little more training gains is less than
what runs of other seeds differ by."""
OTHER_SEEDS = 2
"""Of the baseline, that are counted before a candidate is refused: where episodes are as long as they happen to be, its
own runs differ by more."""
KEPT = 0.5
"""Of its proven gain, what a candidate has to have when it is counted: more of it goes by what is not repeatable."""


def training_volume(
    baseline: Sequence[RunResult],
    candidate: Sequence[RunResult],
    counted: Callable[[Side, int], RunResult],
    target: TrainingTarget,
    sign: int,
    alpha: float,
) -> Check:
    """`baseline`, `candidate`: the confirmation's runs; `counted(side, number)`: such a run once more, counted."""
    limit = f"at most {MORE:g} times as much for the same steps"
    if target.budget.unit != "steps":
        return not_run(NAME, "the budget is of time, in which a run may train on as much as it can")
    own = counted("baseline", 0)
    if own.counted is None or own.outcome != "finished":
        return not_run(NAME, f"the baseline is not counted: {own.reason}")
    if not (own.counted.elements or own.counted.updates or own.counted.replays):
        return not_run(NAME, "neither modules nor optimizers of torch are seen to train in the baseline")
    found = counted("candidate", 0)
    if found.counted is None or found.outcome != "finished":
        return Check(NAME, "L5", False, f"it fails when it is counted: {found.reason}", limit)
    if own.counted.replays or found.counted.replays:
        return not_run(NAME, "CUDA graphs are replayed, whose work is not seen")
    unit, ratio = _ratio(own.counted, found.counted)
    if not unit:
        return not_run(NAME, "what torch is seen to train with in the baseline it is not in the candidate")
    text = f"its run trains on {ratio:.3g} times as many {unit} as the baseline's"
    if ratio > MORE:
        others = [counted("baseline", number) for number in range(1, min(len(baseline), 1 + OTHER_SEEDS))]
        if not all(one.counted and _alike(own.counted, one.counted) for one in others):
            return not_run(NAME, "runs of the baseline differ in what they train on, too")
        return Check(NAME, "L5", False, f"{text}: give it fewer, or a budget of seconds", limit, {"ratio": ratio})
    if not _as_good(baseline, candidate, counted, sign, alpha):
        return Check(NAME, "L5", False, "its gain is not there when it is counted", limit, {"ratio": ratio})
    return Check(NAME, "L5", True, text, limit, {"ratio": ratio})


def evaluation_volume(counted: Callable[[Side, int], RunResult]) -> Check:
    """Where nothing recomputes the metric: is it that of as many rows as the baseline's? By what modules are given
    without gradients between two backward passes, at most, and the last time."""
    limit = f"at least {1 / MORE:.3g} times as many"
    own, found = counted("baseline", 0), counted("candidate", 0)
    if own.counted is None or own.outcome != "finished" or not own.counted.evaluated:
        return not_run(EVALUATION, "no modules of torch are seen to be evaluated in the baseline")
    if found.counted is None or found.outcome != "finished":
        return Check(EVALUATION, "L5", False, f"it fails when it is counted: {found.reason}", limit)
    if own.counted.replays or found.counted.replays:
        return not_run(EVALUATION, "CUDA graphs are replayed, whose work is not seen")
    ratio = _evaluated(own.counted, found.counted)
    text = f"it evaluates {ratio:.3g} times as many rows or tokens as the baseline"
    if ratio * MORE >= 1:
        return Check(EVALUATION, "L5", True, text, limit, {"ratio": ratio})
    other = counted("baseline", 1)
    if other.counted is None or not 1 / MORE <= _evaluated(own.counted, other.counted) <= MORE:
        return not_run(EVALUATION, "runs of the baseline differ in what they evaluate, too")
    return Check(EVALUATION, "L5", False, f"{text}: leave that as it is, or name evaluation", limit, {"ratio": ratio})


def _evaluated(own: Counted, found: Counted) -> float:
    """The smaller one: at the end stands the value that counts."""
    pairs = ((own.evaluated, found.evaluated), (own.evaluated_last, found.evaluated_last))
    return min(other / one for one, other in pairs if one)


def _ratio(own: Counted, found: Counted) -> tuple[str, float]:
    """Of what modules were given, where both have any: an update on no other rows is none that trains on more."""
    if own.elements and found.elements:
        return "rows or tokens", found.elements / own.elements
    if own.updates and found.updates:
        return "updates", found.updates / own.updates
    return "", 0.0


def _alike(one: Counted, other: Counted) -> bool:
    ratio = _ratio(one, other)[1]
    return 1 / MORE <= ratio <= MORE


def _as_good(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], counted: Callable[[Side, int], RunResult],
    sign: int, alpha: float,
) -> bool:  # fmt: skip
    """A script that trains otherwise when it sees that it is counted loses what it gained by it."""
    values = [[run.value or 0.0 for run in runs] for runs in (baseline, candidate)]
    gain = sign * (statistics.fmean(values[1]) - statistics.fmean(values[0]))
    if sign * ((counted("candidate", 0).value or 0.0) - values[1][0]) >= -KEPT * gain:
        return True
    again = [counted("candidate", number) for number in range(len(candidate))]
    if any(run.outcome != "finished" for run in again):
        return False
    return compare(values[0], [run.value or 0.0 for run in again], sign, alpha).proven
