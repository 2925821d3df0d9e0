"""`outpace optimize`: find audited speedups of one target, show them, apply the best on request."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import OutpaceError, TargetError
from outpace_optimizers.profiles.step_gains import with_step_gains
from outpace_optimizers.records import Event, OptimizeRequest, Report, Trial, TrialFinished
from outpace_optimizers.workspace import Workspace
from outpace_server.apply_edit import apply_patch, refuse_notebook, write_new_source
from outpace_server.commands.engine import Engine
from outpace_server.commands.model import add_model_options, agreed_model
from outpace_server.commands.night import overnight
from outpace_server.commands.options import Commands, add_optimize_options, add_run_options, request_from
from outpace_server.output.view import abandoned_on_error, choose_view
from outpace_server.output.words import printable
from outpace_server.trouble import explain_os_error


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("optimize", help="find audited speedups in a file", description=__doc__)
    parser.add_argument("path", metavar="FILE_OR_FOLDER", help="a Python file, or a SOL-ExecBench problem folder")
    add_optimize_options(parser, budget_s=None)
    parser.add_argument(
        "--overnight",
        action="store_true",
        help="hours, unattended: all targets of a file or folder in turns; goes on where it was ended",
    )
    parser.add_argument("--apply", action="store_true", help="write the best accepted change into the file")
    parser.add_argument("--output", metavar="FILE", help="write the source with the best change to FILE")
    add_model_options(parser)
    add_run_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 whenever the run worked, with or without a speedup."""
    path = Path(args.path)
    if args.overnight:
        return overnight(args, path, engine)
    args.budget = args.budget or OptimizeRequest(args.path).budget_s
    _refuse_unwritable(args, path)
    request = replace(request_from(args, args.path), model=agreed_model(args, path))
    view = choose_view(args.json)
    with _told_if_interrupted() as accepted, abandoned_on_error(view):

        def hear(event: Event) -> None:
            if isinstance(event, TrialFinished) and event.trial.verdict.accepted:
                accepted.append(event.trial)
            view.on_event(event)

        report = engine().optimize(request, hear)
        report = replace(report, trials=with_step_gains(report.trials, Workspace.of(path).state))
        view.show_report(report)
    try:
        for line in _write(args, path, report):
            view.say(line)
    except OutpaceError as error:
        view.close(str(error))
        return 2
    except OSError as error:
        view.close(explain_os_error(error))
        return 2
    view.close()
    return 0


@contextmanager
def _told_if_interrupted() -> Generator[list[Trial]]:
    """What was accepted before Ctrl-C is in the ledger: how to apply it, the best first."""
    accepted: list[Trial] = []
    try:
        yield accepted
    except KeyboardInterrupt:
        for trial in sorted(accepted, key=lambda one: one.verdict.interval or (0.0, 0.0), reverse=True):
            sys.stderr.write(printable(f"accepted before: {trial.idea.title}: outpace apply {trial.verdict.id}") + "\n")
        raise


def _refuse_unwritable(args: argparse.Namespace, path: Path) -> None:
    """What could not be written in the end is said before anything is measured."""
    if args.apply and path.is_dir():
        raise TargetError(
            f"{path}: a benchmark folder has no file of yours to change; use --output FILE for the new source"
        )
    if args.apply:
        refuse_notebook(path)
    if args.output is not None:
        refuse_notebook(Path(args.output))
        folder = Path(args.output).parent
        if not folder.is_dir():
            raise TargetError(f"{folder}: no such folder to write {Path(args.output).name} into; make it first")


def _write(args: argparse.Namespace, path: Path, report: Report) -> list[str]:
    """Do what --apply and --output ask for; the lines say what was done."""
    if not args.apply and args.output is None:
        return []
    best = report.best
    if best is None:
        return ["nothing to apply: no change was accepted"]
    code, patch = report.target.code, best.idea.patch
    lines: list[str] = []
    if args.apply:
        lines.append(apply_patch(path, code, patch))
    if args.output is not None:
        output = Path(args.output)
        same = output.exists() and path.is_file() and output.samefile(path)
        if not same:
            lines.append(write_new_source(output, code, patch))
        elif not args.apply:
            lines.append(apply_patch(path, code, patch))
    return lines
