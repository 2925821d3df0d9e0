"""`outpace audit`: judge a candidate that you wrote against the baseline it replaces."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import EvidenceError
from outpace_optimizers.records import Trial
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_run_options, request_from
from outpace_server.output import abandoned_on_error, choose_view


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("audit", help="judge a candidate against a baseline", description=__doc__)
    parser.add_argument("baseline", metavar="BASELINE", help="a Python file, or a SOL-ExecBench problem folder")
    parser.add_argument("candidate", metavar="CANDIDATE", help="a Python file that defines the same target")
    parser.add_argument("--evidence", type=Path, metavar="FILE", help="write all that was measured to FILE (JSON)")
    add_run_options(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 accepted, 1 rejected."""
    view = choose_view(args.json)
    with abandoned_on_error(view):
        request = request_from(args, args.baseline)
        trial = engine().audit_files(Path(args.baseline), Path(args.candidate), request, view.on_event)
        view.show_trial(trial, "audited")
        if args.evidence is not None:
            keep_evidence(trial, args.evidence)
    view.close()
    return 0 if trial.verdict.accepted else 1


def keep_evidence(trial: Trial, path: Path) -> None:
    if not trial.evidence:
        raise EvidenceError(f"{path}: not written: the audit could not keep its evidence; is .outpace writable?")
    shutil.copyfile(trial.evidence, path)
