"""`outpace check`: measure accepted verdicts again, as a test of your own CI."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from outpace_audit.errors import EvidenceError, OutpaceError, StaleVerdict
from outpace_audit.records import Verdict
from outpace_optimizers.elsewhere import place
from outpace_optimizers.evidence import is_file, read_evidence
from outpace_optimizers.rebase import as_it_is_now, identity
from outpace_optimizers.records import Again, Event, Listener, StageEvent, Trial
from outpace_optimizers.stored_trial import StoredTrial, accepted_trials, stored_trial
from outpace_optimizers.workspace import Workspace
from outpace_server.commands.engine import Engine
from outpace_server.commands.options import Commands, add_again, add_json, workspace_root
from outpace_server.output.document import trial_document
from outpace_server.output.json_view import JsonView
from outpace_server.output.plain import PlainView
from outpace_server.output.view import View, abandoned_on_error, choose_view
from outpace_server.output.words import gain, one_line
from outpace_server.version import VERSION

State = Literal["holds", "fails", "stale", "error"]
MARKS = {"holds": "✓ holds", "fails": "✗ no longer holds", "stale": "– stale, not measured", "error": "✗ not measured"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """`now` where it was measured, else `reason` says why not."""

    reference: str
    stored: StoredTrial
    state: State
    reason: str = ""
    now: Trial | None = None


def add_parser(commands: Commands) -> None:
    parser = commands.add_parser("check", help="measure accepted verdicts again", description=__doc__)
    parser.add_argument(
        "verdicts", metavar="ID_OR_FILE", nargs="*",
        help="verdicts' ids or evidence files (default: all accepted ones of the workspace)",
    )  # fmt: skip
    add_again(parser)
    add_json(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, engine: Callable[[], Engine]) -> int:
    """0 all hold (stale ones aside), 1 one no longer holds, 2 one could not be measured."""
    workspace = Workspace(args.workspace or workspace_root(Path.cwd()))
    wanted = list(_wanted(args.verdicts, workspace))
    if not wanted:
        raise EvidenceError(f"{workspace.state} holds no accepted verdict: name evidence files, or --workspace")
    view = choose_view(args.json)
    how = Again(args.python, args.unsandboxed)
    outcomes: list[Outcome] = []
    with abandoned_on_error(view):
        for reference, stored in wanted:
            outcome = _checked(reference, stored, engine(), workspace.root, how, _progress(view))
            outcomes.append(outcome)
            if not isinstance(view, JsonView):
                view.say(line(outcome))
    if isinstance(view, JsonView):
        view.show_document({"outpace": VERSION, "checks": [document(one) for one in outcomes]})
    view.close()
    return exit_status(outcomes)


def exit_status(outcomes: list[Outcome]) -> int:
    states = {one.state for one in outcomes}
    return 1 if "fails" in states else 2 if "error" in states else 0


def _wanted(references: list[str], workspace: Workspace) -> Iterator[tuple[str, StoredTrial]]:
    """What would measure the same is taken once: a change that was measured again on a newer text."""
    if not references:
        seen: set[object] = set()
        for reference, stored in accepted_trials(workspace):
            try:
                current = identity(as_it_is_now(stored))
            except OutpaceError:
                current = identity(stored)
            if current not in seen:
                seen.add(current)
                yield reference, stored
    for reference in references:
        if is_file(reference):
            yield reference, place(read_evidence(Path(reference)), workspace.root, reference).trial
        else:
            yield reference, stored_trial(workspace, reference)


def _progress(view: View) -> Listener:
    """On a live terminal only: elsewhere each verdict is one line, when it is known."""

    def hear(event: Event) -> None:
        if isinstance(event, StageEvent) and not isinstance(view, PlainView):
            view.on_event(event)

    return hear


def _checked(reference: str, stored: StoredTrial, engine: Engine, root: Path, how: Again, hear: Listener) -> Outcome:
    try:
        trial = engine.recheck(reference, root, how, hear)
    except StaleVerdict as error:
        return Outcome(reference, stored, "stale", str(error))
    except OutpaceError as error:
        return Outcome(reference, stored, "error", str(error))
    return Outcome(reference, stored, "holds" if trial.verdict.accepted else "fails", trial.verdict.reason, trial)


def line(outcome: Outcome) -> str:
    stored = outcome.stored
    where = f"{Path(stored.target.code.path).name}, {stored.target.name}: {stored.idea.title}"
    recorded = f"recorded {gain(stored.verdict)}"
    if outcome.now is not None and outcome.state == "holds":
        said = f"{gain(outcome.now.verdict)}, {recorded}"
    else:
        said = f"{outcome.reason}; {recorded}"
    return one_line(f"{MARKS[outcome.state]}: {where}: {said} ({outcome.reference})")


def document(outcome: Outcome) -> dict[str, Any]:
    """`now` has the keys of a trial in `audit --json`, null where nothing was measured."""
    stored = outcome.stored
    return {
        "verdict": outcome.reference,
        "path": stored.target.code.path,
        "target": stored.target.name,
        "change": stored.idea.title,
        "state": outcome.state,
        "reason": outcome.reason,
        "recorded": _recorded(stored.verdict),
        "now": trial_document(outcome.now) if outcome.now is not None else None,
    }


def _recorded(verdict: Verdict) -> dict[str, Any]:
    return {"id": verdict.id, "speedup": verdict.speedup, "interval": verdict.interval, "machine": verdict.machine.name}
