"""A judge that knows one target: what `optimize`, `audit` and `replay` share."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from outpace_audit.codec import decode
from outpace_audit.errors import EnvironmentMissing, OutOfResources, TargetError
from outpace_audit.fewer import helps_to_leave_out, without_largest
from outpace_audit.records import Check, Closely, Code, Idea, Machine, Patch, QuickLook, Seeds, Verdict, content_id
from outpace_optimizers.costs import Stopwatch
from outpace_optimizers.evidence import Recorder, evidence_of, write_evidence
from outpace_optimizers.judge_client import JudgeClient, Judges
from outpace_optimizers.ledger import Ledger, is_full
from outpace_optimizers.reach import reached_files
from outpace_optimizers.records import (
    NOT_ASKED,
    Asked,
    CheckDone,
    Cost,
    Device,
    Listener,
    OptimizeRequest,
    StageEvent,
    Target,
    Trial,
    TrialFinished,
    Trouble,
)
from outpace_optimizers.source import base_hash
from outpace_optimizers.stored_trial import StoredTrial, Winner, key_of, trial_of, winners_in
from outpace_optimizers.targets.definitions import read_definitions
from outpace_optimizers.targets.loading import FEW, load_target
from outpace_optimizers.targets.source_text import parse_source, read_source
from outpace_optimizers.turns.book import TurnBook, machine_of
from outpace_optimizers.workspace import Workspace

NO_ROOM = (
    "out of memory in the oracle", "the oracle ran out of memory",
    "out of memory in the baseline", "the baseline ran out of memory",
)  # fmt: skip
"""As `Side.answer` says it."""


class Session:
    """Opened by `of_file` or `of_stored`."""

    def __init__(
        self,
        client: JudgeClient,
        workspace: Workspace,
        ledger: Ledger,
        target: Target,
        machine: Machine,
        request: OptimizeRequest,
        listener: Listener,
    ) -> None:
        self._client = client
        self.workspace = self._workspace = workspace
        self._ledger = ledger
        self._request = request = replace(request, inference=request.inference or target.inference)
        self._tell = listener
        self._confirmations = 0
        self.troubles: list[str] = []
        """What did not go well and cost no verdict, for the report."""
        self.machine = machine
        self.target = target
        if ledger.full:
            self._say_full()
        listener(StageEvent(f"probing {target.name} in {Path(target.code.path).name}"))
        self.left_out: tuple[str, ...] = ()
        self.facts = facts = self._learn()
        """The judge's TargetFacts as JSON."""
        what = "forward and backward" if facts["trains"] else "forward only"
        self.notes = (*ledger.notes, *target.notes, *facts["notes"])
        self.timed = f"timed: {what}; truth: {facts['truth']}"

    def turn_book(self) -> TurnBook:
        """Of a run on this target; what is skipped, or which model is asked, makes no other run of it."""
        request, target = self._request, self.target
        asked = [request.policy, request.inference, request.unsandboxed, list(request.checks)]
        subject = content_id(target.code.id, [one.id for one in target.workloads], asked, machine_of(self.machine))
        return TurnBook(self._ledger, subject, self.machine, fresh=request.fresh)

    def winners(self) -> list[Winner]:
        """Accepted edits of this workspace, on such a machine."""
        return winners_in(self._ledger, self.machine)

    @property
    def python(self) -> str:
        """The interpreter that the target runs in."""
        return self._client.python

    def _learn(self) -> Mapping[str, Any]:
        """The target keeps the workloads that the judge could take."""
        target = self.target
        facts = self._client.target(target.code, target.workloads, inference=self._request.inference)
        taken = {one["workload"]["label"] for one in facts["workloads"]}
        self.left_out += tuple(one.label for one in target.workloads if one.label not in taken)
        self.target = replace(target, workloads=tuple(one for one in target.workloads if one.label in taken))
        self._target_seeds = decode(Seeds, facts["seeds"])
        return facts

    @classmethod
    @contextmanager
    def of_file(cls, path: Path, request: OptimizeRequest, listener: Listener, judges: Judges) -> Generator[Session]:
        """A session on the target of a file or problem folder; the file is read before torch is waited for."""
        few = None if request.all_workloads else FEW
        target = load_target(path, request.target, request.device or "cpu", few, by_hash=request.by_hash)
        workspace = Workspace.of(path)
        with _opened(workspace, request, listener, judges) as (client, machine, ledger):
            device: Device = machine.device
            if device != (request.device or "cpu"):
                target = load_target(path, request.target, device, few, by_hash=request.by_hash)
            yield cls(client, workspace, ledger, target, machine, request, listener)

    @classmethod
    @contextmanager
    def of_stored(
        cls, stored: StoredTrial, workspace: Workspace, listener: Listener, judges: Judges
    ) -> Generator[Session]:
        request = stored.request()
        with _opened(workspace, request, listener, judges) as (client, machine, ledger):
            yield cls(client, workspace, ledger, stored.target, machine, request, listener)

    def knows(self, idea: Idea) -> bool:
        """Whether its verdict costs no time."""
        key = key_of(self.target, idea, self._request, self.machine, self._workspace.root)
        return not self._request.fresh and self._known(key, idea) is not None

    def try_stored(self, stored: StoredTrial) -> Trial:
        """As it was tried before, with fresh seeds and processes."""
        return self.try_idea(
            stored.idea,
            whole_file=stored.whole_file,
            screen=False,
            confirmations_before=stored.confirmations_before,
        )

    def try_idea(
        self,
        idea: Idea,
        *,
        whole_file: bool = False,
        screen: bool = True,
        confirmations_before: int | None = None,
        limit_s: float | None = None,
        asked: Asked = NOT_ASKED,
    ) -> Trial:
        """The verdict on one idea: from the ledger where it is known, else audited and kept; OutOfResources after
        `limit_s`. `asked`: what the idea itself has cost."""
        spent = self._confirmations if confirmations_before is None else confirmations_before
        while True:
            try:
                trial = self._tried(idea, whole_file, screen, spent, limit_s, asked)
                break
            except OutOfResources as error:
                if not self._leave_out_largest(str(error)):
                    raise
        self._confirmations += bool(trial.verdict.timings)
        self._tell(TrialFinished(trial))
        return trial

    def _leave_out_largest(self, error: str) -> bool:
        """Where the original itself found no room on the largest workload, beside the others that an audit needs. (A
        candidate that finds none may need more than the original.)"""
        if not (helps_to_leave_out(self.target.workloads) and any(words in error for words in NO_ROOM)):
            return False
        rest, largest = without_largest(self.target.workloads)
        self.target = replace(self.target, workloads=rest)
        self.left_out += (largest.label,)
        self._say(f"left out: {largest.label}: {error}")
        self.facts = self._learn()
        return True

    def _tried(
        self, idea: Idea, whole_file: bool, screen: bool, spent: int, limit_s: float | None, asked: Asked
    ) -> Trial:
        key = key_of(self.target, idea, self._request, self.machine, self._workspace.root, whole_file=whole_file)
        trial = None if self._request.fresh else self._known(key, idea)
        if trial is None:
            options = {"screen": screen} if limit_s is None else {"screen": screen, "limit_s": limit_s}
            verdict, cost = self._audited(key, idea, options, whole_file, spent, asked)
            trial = self._trial(idea, verdict, None, cost)
        return replace(trial, left_out=self.left_out)

    def quick_looks(self, patches: Sequence[Patch], closely: Closely | None = None) -> list[QuickLook]:
        """A first look at each, in their order; no verdicts, and nothing of them is kept here."""
        variants = [replace(self.target.code, source=patch.new_source) for patch in patches]
        return self._client.quick(variants, self._hear, closely)

    def _known(self, key: str, idea: Idea) -> Trial | None:
        found = self._ledger.known(key)
        if found is None:
            return None
        try:
            verdict = decode(Verdict, found.body["verdict"])
            cost = decode(Cost, found.body.get("cost", {}))
        except (KeyError, ValueError):  # kept by another version, in words that this one does not know
            return None
        if verdict.failed is not None and verdict.failed.numbers.get("kind") in ("died", "timeout"):
            return None  # that may have been the machine's doing, or somebody's
        return self._trial(idea, verdict, found.at, cost)

    def _audited(
        self, key: str, idea: Idea, options: Mapping[str, Any], whole_file: bool, spent: int, asked: Asked
    ) -> tuple[Verdict, Cost]:
        what = {"path": self.target.code.path, "target": self.target.name, "title": idea.title}

        def committed(seeds: str) -> None:
            self._ledger.start(key, {**what, "seeds": seeds})
            self._tell(StageEvent(f"seeds committed to: sha256 {seeds}"))

        recorder, watch = Recorder(committed, self._hear), Stopwatch()

        def hear(kind: str, payload: Any) -> None:
            watch.hear(kind, payload)
            recorder.hear(kind, payload)

        try:
            verdict = self._client.audit(
                self._candidate(idea, whole_file),
                None if whole_file else idea.patch,
                {
                    "policy": self._request.policy,
                    "confirmations_before": spent,
                    "everything": self._request.everything,
                    "checks": self._request.checks,
                    **options,
                },
                hear,
            )
        except OutOfResources as error:
            self._ledger.trouble(key, str(error))
            raise
        request, cost = self._request, watch.cost(asked)
        stored = StoredTrial(
            self.target, idea, verdict, request.inference, request.policy, spent, whole_file,
            self._client.python, request.unsandboxed, request.everything, request.checks, cost,
        )  # fmt: skip
        self._keep(key, stored, recorder)
        return verdict, cost

    def _candidate(self, idea: Idea, whole_file: bool) -> Code:
        patch = idea.patch
        candidate = replace(self.target.code, path=patch.path, source=patch.new_source, files=patch.files)
        if not whole_file:
            return candidate
        return replace(candidate, symbol=_symbol_in(candidate.source, candidate.symbol, patch.path))

    def _keep(self, key: str, stored: StoredTrial, recorder: Recorder) -> None:
        """The evidence first: a verdict in the ledger has its own."""
        code, patch, root = self.target.code, stored.idea.patch, self._workspace.root
        reached = reached_files(Path(patch.path), patch.new_source, root)
        reached |= reached_files(Path(code.path), code.source, root)
        evidence = evidence_of(stored, recorder, self._target_seeds, root, reached)
        try:
            write_evidence(self._workspace.evidence(stored.verdict.id), evidence)
            self._ledger.finish(key, stored.verdict.id, asdict(stored))
        except (EnvironmentMissing, OSError) as error:
            if is_full(error):
                self._say_full()
            else:
                self._say(f"{stored.idea.title}: the verdict could not be kept: {error}")
        if self._ledger.full:
            self._say_full()

    def _say_full(self) -> None:
        self._say(f"verdicts are not kept: no space is left for {self._workspace.state}; free some")

    def _say(self, trouble: str) -> None:
        if trouble not in self.troubles:
            self.troubles.append(trouble)
            self._tell(Trouble(trouble))

    def _trial(self, idea: Idea, verdict: Verdict, known_since: float | None, cost: Cost) -> Trial:
        return trial_of(self.target, idea, verdict, self._workspace, known_since, cost)

    def _hear(self, kind: str, payload: Any) -> None:
        if kind in ("stage", "waiting"):
            self._tell(StageEvent(payload, waiting=kind == "waiting"))
        elif kind == "check":
            self._tell(CheckDone(decode(Check, payload)))


def candidate_file(target: Target, candidate: Path) -> Idea:
    """A whole file as one idea."""
    source = read_source(candidate).text
    patch = Patch(str(candidate.resolve()), base_hash(target.code.source), source, ())
    return Idea("audit", candidate.name, "given by the user", "tolerant", patch)


def _symbol_in(source: str, wanted: str, path: str) -> str:
    """The candidate's name for the target: KernelBench's `ModelNew`, whose file may hold the baseline too, or the
    same."""
    defined = read_definitions(parse_source(source, path)).bound
    for name in (f"{wanted}New", wanted):
        if name in defined:
            return name
    raise TargetError(
        f"{path}: defines neither {wanted} nor {wanted}New, so there is nothing to compare with the baseline"
    )


@contextmanager
def _opened(
    workspace: Workspace, request: OptimizeRequest, listener: Listener, judges: Judges
) -> Generator[tuple[JudgeClient, Machine, Ledger]]:
    workspace.prepare()
    with Ledger(workspace.state) as ledger, judges.judge(request, workspace) as judge:
        listener(StageEvent("starting the judge"))
        machine = judge.opened()
        judges.admit(machine)
        yield judge, machine, ledger
