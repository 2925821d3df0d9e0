"""What a campaign found, in lines for a terminal and as a document."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console

from outpace_optimizers.training.campaign import Report
from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.faster import StepComparison
from outpace_optimizers.training.models import was_run
from outpace_optimizers.training.welch import Comparison
from outpace_optimizers.training_rules.changes import Question
from outpace_server.output.words import printable

Tell = Callable[[str], None]


def show(report: Report, question: Question, target: TrainingTarget, tell: Tell, console: Console) -> None:
    """Checks, the change where it was accepted, and the verdict."""
    for check in report.checks:
        mark = "✗" if not check.passed else "✓" if was_run(check) else "–"
        tell(f"{mark} {check.level} {check.name}: {check.evidence}")
    if report.accepted:
        console.print(printable(report.diff), markup=False, end="")
    for line in verdict_lines(report, question, target):
        tell(line)


def verdict_lines(report: Report, question: Question, target: TrainingTarget) -> list[str]:
    """The first is the verdict."""
    if question == "faster":
        verdict = "faster steps, same training" if report.accepted else f"no faster steps: {report.reason}"
        return [f"{verdict}: {steps_line(report.steps)}{_unchecked(report)}" if report.steps else verdict]
    if report.confirmation is not None and report.accepted:
        return [f"better training: {comparison_line(report.confirmation, target)}{_unchecked(report)}"]
    last = report.confirmation or report.screening
    phase = "confirmation" if report.confirmation else "screening"
    lines = [f"no better training: {report.reason}"]
    return [*lines, f"{phase}: {comparison_line(last, target)}"] if last is not None else lines


def steps_line(found: StepComparison) -> str:
    """The ratio never without its interval, nor without what the losses do."""
    losses = f"{found.difference:+.3g} [{found.difference_low:.3g}, {found.difference_high:.3g}] of {found.margin:.3g}"
    return (
        f"{found.ratio:.3f}x [{found.low:.3f}, {found.high:.3f}] over {found.pairs} pairs, {found.numerics}; "
        f"later losses {losses}; between printed steps {found.pace_ratio:.3f}x, first step {found.later_s:+.2g} s"
    )


def _unchecked(report: Report) -> str:
    names = [check.name for check in report.checks if not was_run(check)]
    return f"; not checked: {', '.join(names)}" if names else ""


def comparison_line(found: Comparison, target: TrainingTarget) -> str:
    """The gain never without its interval, in the metric's units."""
    name = target.metric.key or "metric"
    before, after = found.means
    sure = f"[{found.low:.3g}, {found.high:.3g}]"
    return (
        f"{name} {before:.6g} → {after:.6g}, better by {found.gain:.3g} {sure} at {target.budget}, "
        f"{found.n[0]} + {found.n[1]} seeds, p = {found.p:.2g} of {found.alpha:.2g}"
    )


def document(report: Report, target: TrainingTarget) -> dict[str, Any]:
    """`confirmation` has the number to report; null where it did not come to that, and then `screening` is none."""
    return {
        "accepted": report.accepted,
        "reason": report.reason,
        "metric": str(target.metric),
        "direction": target.direction,
        "budget": str(target.budget),
        "class": report.steps.numerics if report.steps else "statistical",
        "plan": report.plan,
        "checks": report.checks,
        "screening": report.screening,
        "confirmation": report.confirmation,
        "steps": report.steps,
        "campaign": report.campaign,
        "seeds_root": report.seeds_root or None,
        "runs": report.runs,
        "diff": report.diff,
    }
