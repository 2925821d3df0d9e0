"""Training time by the outside clock: what a run does before its clock, or beside its steps, shows there."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from outpace_audit.records import Check
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.welch import compare

NAME = "outside-clock"
CLOCK_S, CLOCK_SHARE = 0.5, 0.02
"""How much longer than the outside clock a script may say it trained: none; this is for its rounding."""
UNTIMED_SHARE = 0.1
"""How much more of its training time than the baseline a candidate may spend outside its own clock, or before its first
steps."""
START_S = 1.0
"""What a candidate may always take longer to start where steps are the budget: modules that it imports. On a machine
that lets even the baseline wait, as much longer as that does."""
MOST_WAITED = 4.0
"""How many times as long a start may take because a busy machine lets it wait, as it does the baseline's."""
SLOWER = 1.5
"""How many times as long as the baseline a candidate may train for the same steps: beyond that it does more than it
says, or the budget should be one of seconds."""
OR_SECONDS = ": give it fewer steps, or a budget of seconds"
CLOCK_ALPHA = 0.01
"""Of the tests whether such a difference is the machine's noise."""


def outside_clock(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget, *, strictly: bool = False
) -> Check:
    """`strictly`: what may be the machine's noise is refused as well, where it is longer than a start may be."""
    for run in candidate:
        if run.claimed_s is not None and run.claimed_s > run.outside_s * (1 + CLOCK_SHARE) + CLOCK_S:
            text = f"it says {run.claimed_s:.4g} s of training, and the whole run took {run.outside_s:.4g} s"
            return Check(NAME, "L5", False, text, "no longer than the run")
    if target.budget.unit == "seconds":
        return _untimed(baseline, candidate)
    begun = _before_the_steps(baseline, candidate, strictly)
    found = begun if begun is not None else _as_fast(baseline, candidate, strictly)
    return (_as_busy(baseline, candidate) or found) if found.passed else found


def takes_longer(check: Check) -> bool:
    """What fails because runs of as many steps take longer may do no more than compile."""
    return not check.passed and not check.numbers.keys().isdisjoint({"later_s", "step_ratio", "cpu_ratio"})


def pace_s(run: RunResult) -> float | None:
    """Seconds a step, from the first to the last that it printed; None for fewer than two, or all at once."""
    known = [(at_s, step) for at_s, step, _ in run.curve if step is not None]
    if len(known) < 2 or known[-1][1] <= known[0][1] or known[-1][0] <= known[0][0]:
        return None
    return (known[-1][0] - known[0][0]) / (known[-1][1] - known[0][1])


def start_s(run: RunResult) -> float | None:
    """Seconds before its first step, had all steps taken as long as those between printed ones."""
    pace = pace_s(run)
    if pace is None:
        return None
    at_s, step = next((at_s, step) for at_s, step, _ in run.curve if step is not None)
    return max(0.0, at_s - pace * step)


def _before_the_steps(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], strictly: bool
) -> Check | None:  # fmt: skip
    """A failed check, where a candidate does much before its first step; else None."""
    sides = [[found for run in runs if (found := start_s(run)) is not None] for runs in (baseline, candidate)]
    if min(map(len, sides)) < 2:
        return Check(NAME, "L5", False, "runs print too few steps to tell when they begin") if strictly else None
    training = statistics.median(run.outside_s - (start_s(run) or 0.0) for run in baseline)
    allowed = max(_start_allowed(baseline), UNTIMED_SHARE * training)
    extra = _later(*sides)
    noise = not compare([one + allowed for one in sides[0]], sides[1], 1, CLOCK_ALPHA).proven
    if extra <= allowed or (noise and not strictly):
        return None
    text = f"before its first step it takes {extra:.3g} s more than the baseline"
    limit = f"at most {allowed:.3g} s: {UNTIMED_SHARE:.0%} of the training time, or a start"
    return Check(NAME, "L5", False, text, limit, {"later_s": extra})


def _start_allowed(baseline: Sequence[RunResult]) -> float:
    """By what the baseline alone shows: a candidate that waits makes no excuse for itself."""
    known = [run.waited for run in baseline if run.waited is not None]
    return START_S * min(max(1.0, statistics.median(known) if known else 1.0), MOST_WAITED)


def _as_fast(baseline: Sequence[RunResult], candidate: Sequence[RunResult], strictly: bool) -> Check:
    """By whole runs, and without their starts, beside which more work for each step would not show. What a start may
    always take longer is no work for the steps of a short run.
    """
    limit = f"at most {SLOWER:g} times as long for the same steps"
    if min(len(baseline), len(candidate)) < 2:
        return Check(NAME, "L5", True, "too few runs to compare", limit)
    allowed = _start_allowed(baseline)
    whole = [[run.outside_s for run in baseline], [run.outside_s - allowed for run in candidate]]
    steps = [[run.outside_s - (start_s(run) or 0.0) for run in runs] for runs in (baseline, candidate)]
    ratios = [statistics.median(times[1]) / statistics.median(times[0]) for times in (whole, steps)]
    slower = [
        ratio > SLOWER and (_slower(*times) or (strictly and _later(*times) > allowed))
        for ratio, times in zip(ratios, (whole, steps), strict=True)
    ]
    text = f"its runs take {ratios[0]:.2f} times as long, a longer start aside, its steps {ratios[1]:.2f} times"
    text += OR_SECONDS if any(slower) else ""
    return Check(NAME, "L5", not any(slower), text, limit, {"time_ratio": ratios[0], "step_ratio": ratios[1]})


def _as_busy(baseline: Sequence[RunResult], candidate: Sequence[RunResult]) -> Check | None:
    """A failed check, where its steps keep the processors busy for longer: other processes train beside it, or the
    machine has other work, beside which the clock says little."""
    sides = [[found for run in runs if (found := run.busy_s) is not None] for runs in (baseline, candidate)]
    if min(map(len, sides)) < 2:
        return None
    ratio = statistics.median(sides[1]) / statistics.median(sides[0])
    if ratio <= SLOWER or not _slower(*sides):
        return None
    text = f"a step takes {ratio:.2f} times as much of the processors' time{OR_SECONDS}"
    return Check(NAME, "L5", False, text, f"at most {SLOWER:g} times as much for the same steps", {"cpu_ratio": ratio})


def _later(baseline: Sequence[float], candidate: Sequence[float]) -> float:
    return statistics.median(candidate) - statistics.median(baseline)


def _slower(baseline: Sequence[float], candidate: Sequence[float]) -> bool:
    return compare([SLOWER * one for one in baseline], candidate, 1, CLOCK_ALPHA).proven


def _untimed(baseline: Sequence[RunResult], candidate: Sequence[RunResult]) -> Check:
    """Work before the clock starts, or after it stops, shows outside."""
    limit = f"at most {UNTIMED_SHARE:.0%} of the training time more than the baseline"
    sides = [[run for run in runs if run.claimed_s is not None] for runs in (baseline, candidate)]
    if min(map(len, sides)) < 2:
        return Check(NAME, "L5", True, "too few runs to compare", limit)
    untimed = [[run.outside_s - (run.claimed_s or 0.0) for run in runs] for runs in sides]
    allowed = UNTIMED_SHARE * statistics.median(run.claimed_s or 0.0 for run in sides[0])
    more = compare([one + allowed for one in untimed[0]], untimed[1], 1, CLOCK_ALPHA)
    extra = _later(*untimed)
    text = f"outside its own clock it takes {extra:+.3g} s more than the baseline"
    return Check(NAME, "L5", not (more.proven and extra > allowed), text, limit)
