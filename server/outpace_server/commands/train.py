"""`outpace train`: tries all training rules that apply to a script, those with short runs first. `--rule RULE` tries
one, `--against PATH_OR_PATCH` a change of yours, `--tune` other numbers in the script: is training with it better than
without? Over seeds, and audited. Or, with `--question faster`: are its steps faster, and is the training the same?

The run is described in `[tool.outpace.training]` of pyproject.toml; `--describe` prints a proposal. What a rule has
won is offered in the editor.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from outpace_audit.errors import OutOfResources
from outpace_optimizers.judge_client import user_interpreter
from outpace_optimizers.training.campaign import Campaign, Options, Report
from outpace_optimizers.training.change import Change, read_change
from outpace_optimizers.training.config import FEWEST_RUNS, MOST_RUNS, TrainingTarget, read_target
from outpace_optimizers.training.faster import FasterCampaign, short_target
from outpace_optimizers.training.plans import Plan, plan_lines
from outpace_optimizers.training.reading import TrainingError, Undescribed
from outpace_optimizers.training.run import Runner
from outpace_optimizers.training.store import Store, opened
from outpace_optimizers.training_description.describing import describe
from outpace_optimizers.training_knobs.search import FEWEST_SETTINGS, SETTINGS, Tunable, Tuning, tunable
from outpace_optimizers.training_rules.changes import Proposal, Question, rule_change, rule_changes
from outpace_optimizers.training_rules.offers import keep_offer
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_json, add_python, add_unsandboxed, existing
from outpace_server.output.document import to_json
from outpace_server.output.training import document, show, verdict_lines
from outpace_server.output.words import one_line
from outpace_server.version import VERSION


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("train", help="see whether a change makes training better", description=__doc__)
    candidate = parser.add_mutually_exclusive_group()
    candidate.add_argument(
        "--against", type=Path, metavar="PATH_OR_PATCH", help="a changed copy of the project, or a patch to it"
    )
    candidate.add_argument("--rule", metavar="RULE", help="what a training rule would change, such as fused-optimizer")
    candidate.add_argument(
        "--baseline", action="store_true", help="measure the baseline alone: its spread, and what runs can show"
    )
    candidate.add_argument(
        "--tune", type=_settings, metavar="N", nargs="?", const=SETTINGS,
        help=f"try N settings of the script's rates, decay, warm-up and batches (default {SETTINGS}); compare the best",
    )  # fmt: skip
    candidate.add_argument(
        "--describe", metavar="SCRIPT", nargs="?", const="",
        help="print a description of the project's training, or of SCRIPT's, for pyproject.toml; runs nothing",
    )  # fmt: skip
    parser.add_argument(
        "--effect", type=_effect, metavar="SIZE", help="the smallest gain worth finding, in the metric's units"
    )
    parser.add_argument("--runs", type=_runs, metavar="N", help="runs of each side, in screening and in confirmation")
    parser.add_argument(
        "--question", choices=("better", "faster"),
        help="better training at the same budget, or faster steps and the same training (default: as the rule asks)",
    )  # fmt: skip
    parser.add_argument("--fresh", action="store_true", help="compare again what has been compared")
    parser.add_argument(
        "--workspace", type=existing, metavar="FOLDER", help="your project (default: from this folder up)"
    )
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


def _settings(text: str) -> int:
    if not text.isdigit() or int(text) < FEWEST_SETTINGS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of settings: a whole number from {FEWEST_SETTINGS}")
    return int(text)


def _runs(text: str) -> int:
    if not text.isdigit() or not FEWEST_RUNS <= int(text) <= MOST_RUNS:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of runs: a whole number from {FEWEST_RUNS}")
    return int(text)


@dataclass(frozen=True, slots=True)
class _Session:
    """What all campaigns of one command share."""

    args: argparse.Namespace
    workspace: Workspace
    target: TrainingTarget
    store: Store
    console: Console

    def tell(self, line: str) -> None:
        self.console.print(one_line(line), markup=False)

    def target_of(self, question: Question) -> TrainingTarget:
        """Raises TrainingError where the description has no short runs for faster steps."""
        return short_target(self.target) if question == "faster" else self.target

    def campaign(self, question: Question, work: Callable[[Campaign], Report]) -> Report:
        args, target = self.args, self.target_of(question)
        python = user_interpreter(args.python)
        with Runner(self.workspace, target, python, unsandboxed=args.unsandboxed) as runner:
            kind = FasterCampaign if question == "faster" else Campaign
            options = Options(args.effect, args.runs, args.fresh)
            return work(kind(self.workspace, runner, self.store, options, self.tell))

    def compare(self, question: Question, change: Change) -> Report:
        return self.campaign(question, lambda campaign: campaign.compare(change))


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 proven better (or the baseline measured), 1 not."""
    workspace = Workspace.of(args.workspace or Path.cwd())
    root = workspace.root.resolve()
    if args.describe is not None:
        found = describe(root, args.describe or None)
        described = {"outpace": VERSION, "script": found.script, "toml": found.text(), "open": found.open}
        print(to_json(described) if args.json else found.text().rstrip())
        return 0
    target = _described(workspace)
    console = Console(highlight=False, soft_wrap=True, quiet=args.json)
    if args.against:
        question: Question = args.question or "better"
        change = read_change(args.against, root, short_target(target) if question == "faster" else target)
        with opened(workspace) as store:
            return _one(_Session(args, workspace, target, store, console), question, change)
    if args.tune:
        found = tunable(root, target)
        with opened(workspace) as store:
            return _tuned(_Session(args, workspace, target, store, console), found)
    proposal = rule_change(args.rule, root, target) if args.rule else None
    with opened(workspace) as store:
        session = _Session(args, workspace, target, store, console)
        if args.baseline:
            return _baseline(session)
        if proposal is not None:
            return _one(session, args.question or proposal.question, proposal.change, proposal)
        return _all_rules(session, root)


def _described(workspace: Workspace) -> TrainingTarget:
    """Where nothing describes the run, a description is offered with the error."""
    try:
        return read_target(workspace)
    except Undescribed as error:
        try:
            found = describe(workspace.root.resolve())
        except TrainingError:
            raise error from None
        raise Undescribed(f"{error}; `outpace train --describe` prints one for {found.script}") from None


def _baseline(session: _Session) -> int:
    plans: list[Plan] = []

    def measure(campaign: Campaign) -> Report:
        plan = campaign.spread()
        plans.append(plan)
        return Report(plan, "", "", False, "", (), None, None, (), "")

    session.campaign(session.args.question or "better", measure)
    for line in plan_lines(plans[0]):
        session.tell(line)
    if session.args.json:
        print(to_json({"outpace": VERSION, "plan": asdict(plans[0])}))
    return 0


def _one(session: _Session, question: Question, change: Change, proposal: Proposal | None = None) -> int:
    report = session.compare(question, change)
    if proposal is not None and report.accepted:
        _keep(session, question, proposal, report)
    _tell(session, question, report)
    return 0 if report.accepted else 1


def _tell(session: _Session, question: Question, report: Report) -> None:
    target = session.target_of(question)
    if session.args.json:
        print(to_json({"outpace": VERSION, **document(report, target)}))
    else:
        show(report, question, target, session.tell, session.console)


def _tuned(session: _Session, found: Tunable) -> int:
    """What the search likes best is a change like any other: its own runs prove nothing."""
    names = ", ".join(f"{knob.name} ({knob.spelled(knob.value)})" for knob in found.knobs)
    session.tell(f"tunes {found.path}: {names}")

    def search(campaign: Campaign) -> Report:
        plan = campaign.spread()
        tuning = Tuning(campaign, found, session.workspace.state)
        best = tuning.best(session.args.tune)
        if best is None:
            reason = f"of {len(tuning.tried)} settings none seems better than the present one"
            return Report(plan, "", "", False, reason, (), None, None, (), "")
        session.tell(f"the best of {len(tuning.tried)} settings: {found.said(best)}: is training better?")
        proposals.append(found.proposal(best))
        return campaign.compare(proposals[0].change)

    proposals: list[Proposal] = []
    report = session.campaign("better", search)
    if report.accepted:
        _keep(session, "better", proposals[0], report)
    _tell(session, "better", report)
    return 0 if report.accepted else 1


def _keep(session: _Session, question: Question, proposal: Proposal, report: Report) -> None:
    line = verdict_lines(report, question, session.target_of(question))[0]
    keep_offer(session.workspace, proposal, report, line)


def _all_rules(session: _Session, root: Path) -> int:
    """Each by itself, against the same baseline; a verdict for each at the end."""
    proposals, reasons = rule_changes(root, session.target)
    wanted = [one for one in proposals if session.args.question in (None, one.question)]
    found: dict[str, Any] = {}
    ends: list[str] = []
    accepted = False
    for proposal in wanted:
        rule, question = proposal.idea.rule, proposal.question
        session.tell(f"{rule}: {proposal.idea.title}, in {proposal.path}: {_ASKED[question]}")
        try:
            target = session.target_of(question)
        except TrainingError as error:
            ends.append(f"{rule}: not tried: {error}")
            continue
        try:
            report = session.compare(question, proposal.change)
        except OutOfResources as error:
            ends.append(f"{rule}: no verdict: {error}")
            continue
        show(report, question, target, session.tell, session.console)
        if report.accepted:
            accepted = True
            _keep(session, question, proposal, report)
        ends.append(f"{rule}: {verdict_lines(report, question, target)[0]}")
        found[rule] = {"question": question, "path": proposal.path, **document(report, target)}
    ends += [f"{rule}: {reason}" for rule, reason in reasons.items()]
    if session.args.json:
        print(to_json({"outpace": VERSION, "accepted": accepted, "rules": found, "verdicts": ends}))
    for line in ("", *ends):
        session.tell(line)
    return 0 if accepted else 1


_ASKED = {"better": "is training better?", "faster": "are steps faster, and is training the same?"}
