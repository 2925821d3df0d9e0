"""One audited idea as the ledger keeps it, and what is made from it again."""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from outpace_audit.codec import decode
from outpace_audit.errors import TargetError
from outpace_audit.records import Idea, Machine, Verdict
from outpace_optimizers.ledger import Finished, Ledger, trial_key
from outpace_optimizers.reach import moved_back, reached_files
from outpace_optimizers.records import NO_COST, Again, Cost, OptimizeRequest, Target, Trial
from outpace_optimizers.source import base_hash
from outpace_optimizers.workspace import LEDGER, Workspace


@dataclass(frozen=True, slots=True)
class StoredTrial:
    """Everything a replay needs."""

    target: Target
    idea: Idea
    verdict: Verdict
    inference: bool
    policy: str
    confirmations_before: int
    whole_file: bool
    python: str
    """The interpreter whose torch was measured; empty for the default one."""
    unsandboxed: bool
    everything: bool = False
    checks: tuple[str, ...] = ()
    cost: Cost = NO_COST
    """Of trials before there was this field: the time between the first and the last word on them, if both are kept."""

    def measured(self, again: Again) -> StoredTrial:
        return replace(self, python=again.python or self.python, unsandboxed=again.unsandboxed or self.unsandboxed)

    def request(self) -> OptimizeRequest:
        """As it was made, to be measured again."""
        return OptimizeRequest(
            path=self.target.code.path,
            target=self.target.name,
            policy="exact" if self.policy == "exact" else "tolerant",
            device=self.verdict.machine.device,
            python=self.python or None,
            inference=self.inference,
            unsandboxed=self.unsandboxed,
            fresh=True,
            everything=self.everything,
            checks=self.checks,
        )


WINNERS = 200
"""The newest: each is read and compared with at the start of every run."""


@dataclass(frozen=True, slots=True)
class Winner:
    """An accepted trial. `at`: when, in seconds since 1970."""

    at: float
    stored: StoredTrial


def winners_in(ledger: Ledger, machine: Machine) -> list[Winner]:
    """Of edits, on such a machine, the oldest first."""
    found = [Winner(one.at, stored) for one in ledger.accepted()[-WINNERS:] if (stored := _readable(one)) is not None]
    return [one for one in found if not one.stored.whole_file and _kind(machine) == _kind(one.stored.verdict.machine)]


def _kind(machine: Machine) -> tuple[str, str, str, str | None]:
    return machine.device, machine.name, machine.torch, machine.triton


def gain_of(verdict: Verdict) -> str:
    low, high = verdict.interval or (1.0, 1.0)
    return f"{verdict.speedup or 1.0:.2f}x [{low:.2f}, {high:.2f}]"


def key_of(
    target: Target, idea: Idea, request: OptimizeRequest, machine: Machine, root: Path, *, whole_file: bool = False
) -> str:
    """The never-repeat key of an idea on the project as it stands on disk now."""
    reached = reached_files(Path(target.code.path), target.code.source, root)
    return _key(target, idea, request, machine, reached, whole_file=whole_file)


def _key(
    target: Target,
    idea: Idea,
    request: OptimizeRequest,
    machine: Machine,
    reached: Mapping[str, str],
    *,
    whole_file: bool,
) -> str:
    asked = (request.policy, request.inference, request.unsandboxed, whole_file, *request.checks)
    return trial_key(target.code, reached, target.workloads, idea.patch, asked, machine)


def trial_of(
    target: Target,
    idea: Idea,
    verdict: Verdict,
    workspace: Workspace,
    known_since: float | None,
    cost: Cost,
) -> Trial:
    replay = f"outpace replay {verdict.id}{_where(workspace)}"
    evidence = workspace.evidence(verdict.id)
    kept = str(evidence) if evidence.is_file() else ""
    return Trial(verdict.id, target.name, idea, verdict, diff_of(target, idea), replay, known_since, kept, cost=cost)


def diff_of(target: Target, idea: Idea) -> str:
    """Of the file, and of those that come with it."""
    new = [_unified("", file.text, "/dev/null", f"b/{file.path}") for file in idea.patch.files]
    names = f"a/{Path(target.code.path).name}", f"b/{Path(idea.patch.path).name}"
    return "".join([_unified(target.code.source, idea.patch.new_source, *names), *new])


def _unified(before: str, after: str, name_before: str, name_after: str) -> str:
    lines = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return "".join(difflib.unified_diff(*lines, name_before, name_after))


def _where(workspace: Workspace) -> str:
    """The option that a replay needs if it is run from here."""
    if Workspace.of(Path.cwd()).state == workspace.state:
        return ""
    return f" --workspace {shlex.quote(str(workspace.root))}"


def stored_trial(workspace: Workspace, verdict: str, moved_to: str = "") -> StoredTrial:
    """By its id; of a file that is gone, as one of the file that it was `moved_to`. Raises TargetError where the
    workspace has no such verdict, or the file's folder is gone."""
    if not (workspace.state / LEDGER).is_file():
        raise TargetError(f"no verdict {verdict!r}: {workspace.state} has no ledger; name the project with --workspace")
    with Ledger(workspace.state) as ledger:
        stored = find_trial(ledger, verdict)
    if moved_to and not Path(stored.target.code.path).exists():
        stored = _moved(stored, moved_to)
    folder = Path(stored.target.code.path).parent
    if not folder.is_dir():
        raise TargetError(f"{folder} is gone, so verdict {verdict} cannot be replayed: run optimize again")
    return stored


def accepted_trials(workspace: Workspace) -> list[tuple[str, StoredTrial]]:
    """By their ids, of those that this version can read."""
    if not (workspace.state / LEDGER).is_file():
        return []
    with Ledger(workspace.state) as ledger:
        found = [(one.verdict, _readable(one)) for one in ledger.accepted()]
    return [(id, stored) for id, stored in found if stored is not None]


def find_trial(ledger: Ledger, verdict: str) -> StoredTrial:
    """The trial of a verdict's id. Raises TargetError where the ledger has none, or one of another version."""
    found = ledger.find(verdict)
    if found is None:
        raise TargetError(f"no verdict {verdict!r} in {ledger.path}: name an id that optimize or audit has printed")
    try:
        return decode(StoredTrial, found.body)
    except ValueError as error:
        raise TargetError(
            f"verdict {verdict} is of another version of outpace ({error}); run optimize again"
        ) from error


def offers_for(ledger: Ledger, workspace: Workspace, path: str, text: str) -> list[Trial]:
    """What was found for this very text of a file, by whatever path it was measured, before anything is measured:
    verdicts whose target, and all that it reaches on disk, are as they were. A file that was moved keeps them."""
    file, offers = Path(path).resolve(), dict[str, Trial]()
    for found in ledger.on_base(base_hash(text)):
        stored = _readable(found)
        if stored is None or stored.whole_file or _key_here(stored, file, workspace.root) != found.key:
            continue
        moved = stored if Path(stored.target.code.path).resolve() == file else _moved(stored, path)
        offers[found.verdict] = trial_of(moved.target, moved.idea, moved.verdict, workspace, found.at, moved.cost)
    return list(offers.values())


def _key_here(stored: StoredTrial, file: Path, root: Path) -> str | None:
    """What its key would be, had it been measured where `file` stands; None for another file, also for a copy: two that
    are there would share their verdicts' ids."""
    then = Path(stored.target.code.path).resolve()
    if then != file and then.exists():
        return None
    reached = moved_back(reached_files(file, stored.target.code.source, root), file, then, root)
    return _key(stored.target, stored.idea, stored.request(), stored.verdict.machine, reached, whole_file=False)


def _moved(stored: StoredTrial, path: str) -> StoredTrial:
    code, patch = replace(stored.target.code, path=path), replace(stored.idea.patch, path=path)
    return replace(stored, target=replace(stored.target, code=code), idea=replace(stored.idea, patch=patch))


def _readable(found: Finished) -> StoredTrial | None:
    try:
        return decode(StoredTrial, found.body)
    except ValueError:  # kept by another version, in words that this one does not know
        return None
