"""`outpace audit`: judge a candidate that you wrote against the baseline it replaces."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import EvidenceError, TargetError
from outpace_optimizers.profiles.step_gains import with_step_gains
from outpace_optimizers.records import OptimizeRequest, Trial
from outpace_optimizers.workspace import Workspace
from outpace_server.cli_errors import UsageError
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_run_options, request_from
from outpace_server.output.view import View, abandoned_on_error, choose_view


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("audit", help="judge a candidate against a baseline", description=__doc__)
    parser.add_argument("baseline", metavar="BASELINE", help="a Python file, or a SOL-ExecBench problem folder")
    parser.add_argument("candidate", metavar="CANDIDATE", nargs="?", help="a Python file that defines the same target")
    parser.add_argument("--evidence", type=Path, metavar="FILE", help="write all that was measured to FILE (JSON)")
    parser.add_argument("--all", action="store_true", help="run every check, also after one has failed")
    parser.add_argument(
        "--check", action="append", default=[], type=check_reference, metavar="FILE_OR_NAME",
        help="run this check of your own too, in the judge (repeatable)",
    )  # fmt: skip
    add_benchmark_options(parser)
    add_run_options(parser)
    parser.set_defaults(run=run)


def check_reference(text: str) -> str:
    """The judge works in another folder: a file by its whole path. Other names are entry points."""
    return str(Path(text).absolute()) if text.endswith(".py") or len(Path(text).parts) > 1 else text


def add_benchmark_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("for a SOL-ExecBench problem folder")
    group.add_argument(
        "--solution", type=Path, metavar="FILE", help="judge an entry of the benchmark: its solution.json"
    )
    group.add_argument("--trace", type=Path, metavar="FILE", help="write the benchmark's trace, a line per workload")
    group.add_argument(
        "--all-workloads", action="store_true", help="every workload, not the smallest, median and largest"
    )


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 accepted, 1 rejected."""
    check_usage(args)
    view = choose_view(args.json)
    with abandoned_on_error(view):
        trial = judged(args, engine(), request_from(args, args.baseline), view)
        (trial,) = with_step_gains((trial,), Workspace.of(Path(args.baseline)).state)
        view.show_trial(trial, "audited")
        if args.evidence is not None:
            keep_evidence(trial, args.evidence)
        if args.trace is not None:
            write_trace(args, trial)
    view.close()
    return 0 if trial.verdict.accepted else 1


def check_usage(args: argparse.Namespace) -> None:
    if (args.candidate is None) == (args.solution is None):
        raise UsageError("name either a CANDIDATE file or an entry with --solution; see `outpace audit --help`")
    if args.trace is not None and args.solution is None:
        raise UsageError("--trace is the benchmark's record of an entry: it needs --solution")
    named = args.candidate or args.solution
    if not Path(named).exists():
        raise TargetError(f"{named}: no such file")
    if args.solution is not None and not Path(args.baseline).is_dir():
        raise TargetError(f"{args.baseline}: no folder; an entry is judged on its SOL-ExecBench problem's folder")


def judged(args: argparse.Namespace, engine: Engine, request: OptimizeRequest, view: View) -> Trial:
    if args.solution is not None:
        return engine.audit_solution(Path(args.baseline), args.solution, request, view.on_event)
    return engine.audit_files(Path(args.baseline), Path(args.candidate), request, view.on_event)


def keep_evidence(trial: Trial, path: Path) -> None:
    if not trial.evidence:
        raise EvidenceError(f"{path}: not written: the audit could not keep its evidence; is .outpace writable?")
    shutil.copyfile(trial.evidence, path)


def write_trace(args: argparse.Namespace, trial: Trial) -> None:
    """The problem is read again: which workloads are taken depends on the device alone."""
    from outpace_optimizers.targets.sol_execbench import FEW, load_problem_folder
    from outpace_optimizers.targets.sol_trace import trace_lines

    few = None if args.all_workloads else FEW
    problem = load_problem_folder(Path(args.baseline), args.target, trial.verdict.machine.device, few)
    lines = trace_lines(problem, trial.idea.title, trial.verdict, trial.left_out)
    args.trace.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
