"""Propose, run, verify: what `optimize`, `audit` and `replay` do.

One change per idea; each is audited against the untouched baseline. run.py leads through the ideas of one target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import TargetError
from outpace_optimizers.costs import TimedListener
from outpace_optimizers.elsewhere import Placed, place, recorded
from outpace_optimizers.evidence import is_file, read_evidence
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.rebase import as_it_is_now
from outpace_optimizers.records import (
    CARRIED_RULE,
    TUNER_RULE,
    Again,
    Listener,
    OptimizeRequest,
    Report,
    StageEvent,
    Trial,
)
from outpace_optimizers.rules.registry import load_rules
from outpace_optimizers.run import Run
from outpace_optimizers.session import Session, candidate_file
from outpace_optimizers.stored_trial import stored_trial
from outpace_optimizers.targets.sol_adapter import solution_idea
from outpace_optimizers.targets.sol_definition import read_definition
from outpace_optimizers.targets.sol_execbench import FEW, load_problem_folder
from outpace_optimizers.targets.sol_solution import read_solution
from outpace_optimizers.workspace import Workspace


def optimize(request: OptimizeRequest, listener: Listener, judges: Judges) -> Report:
    """Audits what rules and model propose until they are dry or a budget is spent; always says which."""
    _refuse_unknown(request.skip)
    heard = TimedListener(listener)
    with Session.of_file(Path(request.path), request, heard, judges) as session:
        return Run(session, request, heard).report()


def audit_files(baseline: Path, candidate: Path, request: OptimizeRequest, listener: Listener, judges: Judges) -> Trial:
    """One verdict on a candidate file for a baseline file or problem folder."""
    with Session.of_file(baseline, replace(request, fresh=True), listener, judges) as session:
        trial = session.try_idea(candidate_file(session.target, candidate), whole_file=True, screen=False)
        return replace(trial, notes=(*session.notes, *session.troubles))


def audit_solution(folder: Path, solution: Path, request: OptimizeRequest, listener: Listener, judges: Judges) -> Trial:
    """One verdict on an entry of SOL-ExecBench (solution.json) for its problem's folder."""
    entry = read_solution(solution, read_definition(folder / "definition.json").name)
    with Session.of_file(folder, replace(request, fresh=True), listener, judges) as session:
        few = None if request.all_workloads else FEW
        problem = load_problem_folder(folder, request.target, session.machine.device, few)
        trial = session.try_idea(solution_idea(problem, entry), whole_file=True, screen=False)
        return replace(trial, notes=(*session.notes, *entry.notes, *session.troubles))


def replay(reference: str, root: Path, how: Again, listener: Listener, judges: Judges) -> Trial:
    """Repeats a verdict with fresh seeds and processes: one of the ledger of `root` by its id, or that of an evidence
    file in `root`."""
    placed, workspace = _found(reference, Workspace(root), how)
    return _measured_again(placed, workspace, how, listener, judges)


def recheck(reference: str, root: Path, how: Again, listener: Listener, judges: Judges) -> Trial:
    """The same for the text that the verdict's file holds now. Raises StaleVerdict where the change does not apply."""
    placed, workspace = _found(reference, Workspace(root), how)
    return _measured_again(replace(placed, trial=as_it_is_now(placed.trial)), workspace, how, listener, judges)


def _measured_again(placed: Placed, workspace: Workspace, how: Again, listener: Listener, judges: Judges) -> Trial:
    stored = placed.trial.measured(how)
    with Session.of_stored(stored, workspace, listener, judges) as session:
        listener(StageEvent(f"replaying {stored.idea.title} on {stored.target.name}"))
        trial = session.try_stored(stored)
        notes = (recorded(stored.verdict), *placed.notes, *session.notes, *session.troubles)
        return replace(trial, notes=tuple(dict.fromkeys(notes)))


def _found(reference: str, workspace: Workspace, how: Again) -> tuple[Placed, Workspace]:
    if is_file(reference):
        return place(read_evidence(Path(reference)), workspace.root, reference), workspace
    stored = stored_trial(workspace, reference, how.path)
    return Placed(stored, ()), Workspace.of(Path(stored.target.code.path))


def _refuse_unknown(skipped: Sequence[str]) -> None:
    known = [*(rule.id for rule in load_rules().rules), TUNER_RULE, CARRIED_RULE]
    for name in skipped:
        if name not in known:
            raise TargetError(f"no rule {name!r} to skip; rules: {', '.join(known)}")
