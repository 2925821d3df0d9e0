"""What a checkpoint's model answered: no metric counts whose probabilities are none, or see what is to come."""

from __future__ import annotations

import math
from collections.abc import Sequence

from outpace_audit.records import Check, Level
from outpace_optimizers.training.config import TOLERANCE, TrainingTarget
from outpace_optimizers.training.run import Probed, RunResult

MEAN_SUM, LARGEST_SUM = 1e-3, 0.02
"""How far above 1 probabilities may sum, on average and once: a sum of 1 + e makes a loss better by e nats for
nothing, and bfloat16 rounds each to 1/256."""
MOVED, MOVED_MORE = 1e-4, 4.0
"""How much a loss may change with later tokens: by rounding, in nats, or so many times as much as the baseline's."""
BASELINE_MOVED = 0.02
"""What the baseline itself may: rounding of bfloat16, in nats."""
OTHER_TEXT = 0.05
"""By how much the frequencies of tokens, or their number, may differ where a model takes longer or shorter rows."""
NO_MODEL = "no model is named: its probabilities are the candidate's word"


def not_run(name: str, why: str, level: Level = "L5") -> Check:
    """Neither passed nor failed: `why` says what is missing."""
    return Check(name, level, True, f"not run: {why}", numbers={"not_run": True})


def was_run(check: Check) -> bool:
    return not check.numbers.get("not_run")


def probabilities(runs: Sequence[RunResult], target: TrainingTarget) -> Check:
    name, limit = "probabilities", f"at most 1 + {MEAN_SUM:g} on average, 1 + {LARGEST_SUM:g} once"
    if not target.model:
        return not_run(name, NO_MODEL)
    found = _probed(runs)
    for run, probed in found:
        if probed.mean_sum > 1 + MEAN_SUM or not probed.largest_sum <= 1 + LARGEST_SUM:
            text = f"the probabilities of all tokens sum to {probed.mean_sum:.4g} on average, once to "
            return Check(name, "L5", False, f"{text}{probed.largest_sum:.4g} (seed {run.seed})", limit)
    sums = sum(probed.sums for _, probed in found)
    largest = max((probed.largest_sum for _, probed in found), default=1.0)
    return Check(name, "L5", True, f"none of {sums} sums over all tokens is above {largest:.6g}", limit)


def causality(baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget) -> Check:
    name = "causality"
    if not target.model:
        return not_run(name, NO_MODEL)
    rounding = max((probed.moved for _, probed in _probed(baseline)), default=0.0)
    most = max(MOVED, MOVED_MORE * rounding)
    limit = f"losses change by at most {most:.2g}"
    found = _probed(candidate)
    for run, probed in found:
        if probed.moved > most:
            text = f"a loss changes by {probed.moved:.3g} with the tokens after it (seed {run.seed})"
            return Check(name, "L5", False, text, limit)
    splits = sum(probed.splits for _, probed in found)
    if found and not splits:
        return Check(name, "L5", True, "each row has one prediction: no later token is given", limit)
    return Check(name, "L5", True, f"later tokens changed nothing before them at {splits} places", limit)


def metric_of_losses(baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget) -> Check:
    """Where the baseline's metric is a multiple of its mean loss, the candidate's has to be the same multiple."""
    name = "metric-of-losses"
    if not target.model or target.evaluation is None:
        return not_run(name, NO_MODEL)
    units = [_unit(run, probed) for run, probed in _probed(baseline)]
    tolerance = max(target.evaluation.tolerance, TOLERANCE)
    if len(units) < 2 or not max(units) - min(units) <= tolerance * abs(units[0]):
        return not_run(name, "the baseline's metric is no multiple of the mean loss of model")
    limit = f"within {tolerance:g} of {units[0]:.6g} times the mean loss"
    for run, probed in _probed(candidate):
        if not abs(_unit(run, probed) - units[0]) <= 2 * tolerance * abs(units[0]):
            text = f"its checkpoint is said to have {run.value:.6g}, and its losses make {units[0] * probed.loss:.6g}"
            return Check(name, "L5", False, f"{text} (seed {run.seed})", limit)
    return Check(name, "L5", True, "the metric is that of its losses", limit)


def same_text(baseline: Sequence[RunResult], candidate: Sequence[RunResult], target: TrainingTarget) -> Check:
    """Code of the candidate lies between the validation files and what is asked for: by rows as long, the very same;
    by longer or shorter ones, whose ends lie elsewhere, nearly the same tokens."""
    name, limit = "same-text", "the rows that the baseline is evaluated on"
    if not target.model:
        return not_run(name, NO_MODEL)
    known = [probed for _, probed in _probed(baseline) if probed.rows]
    for run, probed in _probed(candidate):
        if not known or probed.rows in {one.rows for one in known}:
            continue
        always = len({one.rows for one in known}) == 1 and _shape(probed) == _shape(known[0])
        if always or _other_text(known[0].counts, probed.counts):
            return Check(
                name, "L5", False, f"its model is asked for other text than the baseline's (seed {run.seed})", limit
            )
    return Check(name, "L5", True, "its model is asked for the same text", limit)


def _shape(probed: Probed) -> str:
    return probed.rows.partition(":")[0]


def _other_text(counts: Sequence[int], others: Sequence[int]) -> bool:
    total, other = sum(counts), sum(others)
    apart = sum(abs(one / total - two / other) for one, two in zip(counts, others, strict=True)) / 2
    return apart > OTHER_TEXT or abs(other / total - 1) > OTHER_TEXT


def baseline_models(runs: Sequence[RunResult], target: TrainingTarget) -> Check:
    """What the baseline has to be for such checks to say anything."""
    found = probabilities(runs, target)
    moved = max((probed.moved for _, probed in _probed(runs)), default=0.0)
    if moved > BASELINE_MOVED:
        return Check("causality", "L5", False, f"a loss changes by {moved:.3g} with the tokens after it")
    return found


def _unit(run: RunResult, probed: Probed) -> float:
    return (run.value or 0.0) / probed.loss if probed.loss else math.nan


def _probed(runs: Sequence[RunResult]) -> list[tuple[RunResult, Probed]]:
    return [(run, run.probed) for run in runs if run.probed is not None]
