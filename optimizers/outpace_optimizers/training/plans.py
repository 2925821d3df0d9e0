"""How many runs of each side a campaign makes, and what can be shown with them."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from outpace_optimizers.training.config import FEWEST_RUNS, TrainingTarget
from outpace_optimizers.training.welch import effect_found, runs_needed

USUAL_RUNS = 5
"""Of each side in one test, where neither the runs nor an effect are given."""

SHOWN_EFFECTS = (0.5, 1.0, 2.0, 4.0)
"""In spreads of the baseline."""


@dataclass(frozen=True, slots=True)
class Plan:
    """`runs` of each side in each of two tests at `alpha`; `spread` is the baseline's standard deviation."""

    mean: float
    spread: float
    alpha: float
    runs: int
    found: float
    needed: tuple[tuple[float, int], ...]
    """(effect, runs of each side that it needs) for some effects."""
    run_s: float


def planned(
    values: Sequence[float], run_s: float, alpha: float, target: TrainingTarget, settled: int | None = None
) -> Plan:
    """By the baseline's `values`, each of a run of about `run_s`. `settled`: runs that were decided on before."""
    spread = statistics.stdev(values)
    effects = (target.effect,) if target.effect else tuple(share * spread for share in SHOWN_EFFECTS)
    needed = tuple((one, max(FEWEST_RUNS, runs_needed(one, spread, alpha))) for one in effects)
    number = settled or target.runs or (max(USUAL_RUNS, needed[0][1]) if target.effect else USUAL_RUNS)
    found = effect_found(number, spread, alpha)
    return Plan(statistics.fmean(values), spread, alpha, number, found, needed, run_s)


def plan_lines(plan: Plan) -> list[str]:
    """What can be shown with how many runs, before they are made."""
    takes = f"at most {4 * plan.runs} runs of about {plan.run_s:.2g} s"
    needs = ", ".join(f"{runs} for an effect of {effect:.3g}" for effect, runs in plan.needed)
    return [
        f"the baseline has {plan.mean:.6g}, and its runs spread by {plan.spread:.3g} (standard deviation over seeds)",
        f"runs that each side needs, in screening and again in confirmation, at {plan.alpha:.2g} each: {needs}",
        f"{plan.runs} runs of each side find an effect of {plan.found:.3g} in 80% of campaigns; that takes {takes}",
    ]
