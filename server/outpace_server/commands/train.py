"""`outpace train --against PATH_OR_PATCH` or `--rule RULE`: is training with a change better than without? Over
seeds, and audited. With `--question faster`: are its steps faster, and is the training the same?

The run is described in `[tool.outpace.training]` of pyproject.toml. Without a candidate only the baseline is measured:
how much its metric spreads over seeds, and how many runs an effect needs.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from outpace_optimizers.judge_client import user_interpreter
from outpace_optimizers.training.campaign import Campaign, Options, Plan, Report, plan_lines
from outpace_optimizers.training.change import Change, read_change
from outpace_optimizers.training.config import FEWEST_RUNS, MOST_RUNS, TrainingTarget, read_target
from outpace_optimizers.training.faster import FasterCampaign, StepComparison, short_target
from outpace_optimizers.training.models import was_run
from outpace_optimizers.training.run import Runner
from outpace_optimizers.training.store import opened
from outpace_optimizers.training.welch import Comparison
from outpace_optimizers.training_rules.changes import rule_change
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, add_python, add_unsandboxed
from outpace_server.output.document import to_json
from outpace_server.output.words import one_line, printable
from outpace_server.version import VERSION


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("train", help="see whether a change makes training better", description=__doc__)
    candidate = parser.add_mutually_exclusive_group()
    candidate.add_argument(
        "--against", type=Path, metavar="PATH_OR_PATCH", help="a changed copy of the project, or a patch to it"
    )
    candidate.add_argument("--rule", metavar="RULE", help="what a training rule would change, such as value-ngrams")
    parser.add_argument(
        "--effect", type=_effect, metavar="SIZE", help="the smallest gain worth finding, in the metric's units"
    )
    parser.add_argument("--runs", type=_runs, metavar="N", help="runs of each side, in screening and in confirmation")
    parser.add_argument(
        "--question", choices=("better", "faster"), default="better",
        help="better training at the same budget (default), or faster steps and the same training",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="compare again what has been compared")
    parser.add_argument("--workspace", type=Path, metavar="FOLDER", help="your project (default: from this folder up)")
    add_python(parser)
    add_unsandboxed(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def _effect(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < 1e12:
        raise argparse.ArgumentTypeError(f"{text!r} is no effect: a number above 0, in the metric's units")
    return value


def _runs(text: str) -> int:
    if not text.isdigit() or not FEWEST_RUNS <= int(text) <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs: a whole number from {FEWEST_RUNS}")
    return int(text)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 proven better (or the baseline measured), 1 not."""
    workspace = Workspace.of(args.workspace or Path.cwd())
    target = read_target(workspace)
    if args.question == "faster":
        target = short_target(target)
    change = _change(args, workspace.root.resolve(), target)
    console = Console(highlight=False, soft_wrap=True, quiet=args.json)

    def tell(line: str) -> None:
        console.print(one_line(line), markup=False)

    with (
        opened(workspace) as store,
        Runner(workspace, target, user_interpreter(args.python), unsandboxed=args.unsandboxed) as runner,
    ):
        kind = FasterCampaign if args.question == "faster" else Campaign
        campaign = kind(workspace, runner, store, Options(args.effect, args.runs, args.fresh), tell)
        if change is None:
            return _only_baseline(campaign.spread(), tell, as_json=args.json)
        report = campaign.compare(change)
    if args.json:
        print(to_json(_document(report, target)))
    elif args.question == "faster":
        _show_steps(report, tell, console)
    else:
        _show(report, target, tell, console)
    return 0 if report.accepted else 1


def _change(args: argparse.Namespace, root: Path, target: TrainingTarget) -> Change | None:
    if args.rule:
        return rule_change(args.rule, root, target)
    return read_change(args.against, root, target) if args.against else None


def _only_baseline(plan: Plan, tell: Callable[[str], None], *, as_json: bool) -> int:
    for line in plan_lines(plan):
        tell(line)
    if as_json:
        print(to_json({"outpace": VERSION, "plan": asdict(plan)}))
    return 0


def _show_checks(report: Report, tell: Callable[[str], None]) -> None:
    for check in report.checks:
        mark = "✗" if not check.passed else "✓" if was_run(check) else "–"
        tell(f"{mark} {check.level} {check.name}: {check.evidence}")


def _show(report: Report, target: TrainingTarget, tell: Callable[[str], None], console: Console) -> None:
    _show_checks(report, tell)
    if report.confirmation is not None and report.accepted:
        console.print(printable(report.diff), markup=False, end="")
        tell(f"better training: {comparison_line(report.confirmation, target)}{_unchecked(report)}")
        return
    tell(f"no better training: {report.reason}")
    last = report.confirmation or report.screening
    if last is not None:
        tell(f"{'confirmation' if report.confirmation else 'screening'}: {comparison_line(last, target)}")


def _show_steps(report: Report, tell: Callable[[str], None], console: Console) -> None:
    _show_checks(report, tell)
    if report.accepted:
        console.print(printable(report.diff), markup=False, end="")
    verdict = "faster steps, same training" if report.accepted else f"no faster steps: {report.reason}"
    tell(f"{verdict}: {steps_line(report.steps)}{_unchecked(report)}" if report.steps else verdict)


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


def _document(report: Report, target: TrainingTarget) -> dict[str, Any]:
    """`confirmation` has the number to report; null where it did not come to that, and then `screening` is none."""
    return {
        "outpace": VERSION,
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
