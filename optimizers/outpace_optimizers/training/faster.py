"""Faster steps, same training: short runs in pairs that share a seed, their time by the outside clock and their losses.

Screening, then confirmation on fresh seeds, whose numbers are reported. What a candidate's start takes longer than the
baseline's counts as time of its steps: nothing can be moved there.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from outpace_audit.records import Check
from outpace_audit.seeds import draw
from outpace_audit.stats import estimate
from outpace_optimizers.training import audits
from outpace_optimizers.training.campaign import SEED_BITS, Campaign, Refused, Report
from outpace_optimizers.training.change import Change
from outpace_optimizers.training.clocks import pace_s, start_s
from outpace_optimizers.training.config import TABLE, TrainingTarget
from outpace_optimizers.training.plans import Plan
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.run import RunResult
from outpace_optimizers.training.store import Begun, Ended, Phase, Side, now
from outpace_optimizers.training.welch import effect_found

Numerics: TypeAlias = Literal["exact", "tolerant", "lossy", "other"]
EARLY = 3
"""First printed losses of a run: rounding has not grown there, and the second has seen an update."""
ROUNDING = 1e-4
"""Relative difference of early losses up to which another order of the same sums is believed: means over many tokens,
in bfloat16 or better."""
LAST_SHARE = 0.5
"""Of the printed losses: those whose mean is compared."""
WORTH_FINDING = 1.05
"""A speedup that a campaign should be able to prove; one that could not had better have longer runs."""
LEAST_SHARE = 0.01
"""Of the baseline's time, what a run's steps take at least: below, its time is noise."""


@dataclass(frozen=True, slots=True)
class StepComparison:
    """`ratio`: the baseline's time over the candidate's, with bounds that are each one-sided at `alpha`, over pairs of
    runs. `difference`: of the mean of the later losses, candidate less baseline, with its bounds, all in the units of
    the loss. `pace_ratio`: of the time between printed steps alone; `later_s`: how much later the candidate's begin."""

    ratio: float
    low: float
    high: float
    alpha: float
    pairs: int
    difference: float
    difference_low: float
    difference_high: float
    margin: float
    pace_ratio: float
    later_s: float
    numerics: Numerics

    @property
    def same(self) -> bool:
        return self.numerics != "other"

    @property
    def faster(self) -> bool:
        return self.low > 1


def short_target(target: TrainingTarget) -> TrainingTarget:
    """The runs that are compared. Raises TrainingError where the target does not say how short they are told to be."""
    budget = target.short or target.budget
    if budget.unit != "steps":
        text = 'faster steps need a budget of steps: write short = { steps = 50, flag = "--steps" }'
        raise TrainingError(f"{TABLE}: {text}")
    return replace(
        target,
        budget=budget,
        metric=target.loss or target.metric,
        evaluation=None if target.loss else target.evaluation,
        model="",
        effect=None,
        short=None,
        time=None,
    )


def later_loss(run: RunResult) -> float:
    values = [value for _, _, value in run.curve]
    return statistics.fmean(values[int(len(values) * (1 - LAST_SHARE)) :])


def compare_steps(
    baseline: Sequence[RunResult], candidate: Sequence[RunResult], start: float, margin: float, alpha: float
) -> StepComparison:
    """Pairs in order. `start`: seconds that are no step's, of every run."""
    pairs = list(zip(baseline, candidate, strict=True))
    ratios = [math.log(_steps_s(one, start) / _steps_s(other, start, one)) for one, other in pairs]
    time = estimate(ratios, 1 - 2 * alpha)
    apart = estimate([later_loss(other) - later_loss(one) for one, other in pairs], 1 - 2 * alpha)
    paces = [math.log((pace_s(one) or 1.0) / max(pace_s(other) or 1.0, 1e-9)) for one, other in pairs]
    later = [(start_s(other) or 0.0) - (start_s(one) or 0.0) for one, other in pairs]
    return StepComparison(
        time.ratio, *time.ratio_interval, alpha, len(pairs), apart.mean, apart.low, apart.high, margin,
        math.exp(statistics.fmean(paces)), statistics.median(later),
        _numerics(pairs, -margin < apart.low and apart.high < margin),
    )  # fmt: skip


def _steps_s(run: RunResult, start: float, beside: RunResult | None = None) -> float:
    least = LEAST_SHARE * (beside or run).outside_s
    return max(run.outside_s - start, least)


def _numerics(pairs: Sequence[tuple[RunResult, RunResult]], equivalent: bool) -> Numerics:
    curves = [tuple([(step, value) for _, step, value in run.curve] for run in pair) for pair in pairs]
    if all(one == other for one, other in curves) and all(one.value == other.value for one, other in pairs):
        return "exact"
    if not equivalent or any([step for step, _ in one] != [step for step, _ in other] for one, other in curves):
        return "other"
    early = [(a, b) for one, other in curves for (_, a), (_, b) in zip(one[:EARLY], other[:EARLY], strict=True)]
    return "tolerant" if all(abs(a - b) <= ROUNDING * abs(a) for a, b in early) else "lossy"


def what_pairs_find(steps_s: Sequence[float], number: float, pairs: int, alpha: float) -> str:
    """In words. `steps_s`: what the `number` steps of each of the baseline's runs took; starts vary by the same seconds
    however many steps follow."""
    found = math.exp(effect_found(pairs, statistics.stdev(map(math.log, steps_s)), alpha))
    taken = statistics.median(steps_s)
    if not math.isfinite(found):
        return f"steps take {taken:.2g} s of a run: {pairs} pairs are too few to find any speedup"
    text = f"steps take {taken:.2g} s of a run: {pairs} pairs find a speedup of {found:.3g}x in 80% of campaigns"
    if found <= WORTH_FINDING:
        return text
    longer = math.ceil(number * math.log(found) / math.log(WORTH_FINDING))
    return f"{text}; one of {WORTH_FINDING}x needs more pairs, or runs of some {longer} steps (`short` in {TABLE})"


class FasterCampaign(Campaign):
    """Its runner's target is a `short_target`."""

    def _seed_of(self, begun: Begun, phase: Phase, side: Side, number: int) -> int:
        return draw(bytes.fromhex(begun.root), f"{phase}:pair", number) >> (256 - SEED_BITS)

    def _checks_of(self, baseline: Sequence[RunResult], candidate: Sequence[RunResult]) -> list[Check]:
        return [
            audits.protected_files(candidate),
            audits.recomputed_metric(candidate, self._target),
            audits.different_seeds(candidate),
        ]

    def _say_plan(self, plan: Plan) -> None:
        margin = self._margin()
        self._tell(
            f"later losses may differ by {margin:.3g}; {plan.runs} pairs in screening and in confirmation, at "
            f"{plan.alpha:.2g} each; that takes at most {4 * plan.runs} runs of about {plan.run_s:.2g} s"
        )
        steps = [_steps_s(run, self._start()) for run in self._spread_here()]
        self._tell(what_pairs_find(steps, self._target.budget.amount, plan.runs, plan.alpha))

    def _margin(self) -> float:
        """Fixed before any run of the candidate."""
        return self._target.margin or statistics.stdev(later_loss(run) for run in self._spread_here())

    def _start(self) -> float:
        starts = [start_s(run) for run in self._spread_here()]
        known = [one for one in starts if one is not None]
        if not known:
            raise TrainingError(
                f"the baseline prints fewer than two losses with their steps ({self._target.metric}): name in loss of "
                f"{TABLE} one that is printed as it trains"
            )
        return statistics.median(known)

    def _judged(self, begun: Begun, change: Change, plan: Plan, diff: str) -> Report:
        found: StepComparison | None = None
        start, margin, reason = self._start(), self._margin(), ""
        try:
            for phase in ("screening", "confirmation"):
                self._phase(begun, change, phase)
                sides = [self._store.runs(begun.id, phase, side) for side in ("baseline", "candidate")]
                runs = [[side[number] for number in sorted(side)] for side in sides]
                found = compare_steps(runs[0], runs[1], start, margin, begun.alpha)
                self._require(found, phase)
        except Refused as refusal:
            reason = str(refusal)
        if self._store.ended(begun.id) is None:
            self._store.add(Ended(begun.id, not reason, reason, now()))
        kept, checks = tuple(self._kept(begun)), tuple(self._checks)
        return Report(plan, begun.id, begun.root, not reason, reason, checks, None, None, kept, diff, found)

    def _require(self, found: StepComparison, phase: Phase) -> None:
        if not found.same:
            raise Refused(
                f"it is another training in {phase}: later losses differ by {found.difference:+.3g} "
                f"[{found.difference_low:.3g}, {found.difference_high:.3g}], and may by {found.margin:.3g}"
            )
        if not found.faster:
            raise Refused(f"not proven faster in {phase}")
