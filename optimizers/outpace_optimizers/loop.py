"""Propose, run, verify: every idea of every rule for one target, then the tuner's, then a model's where one is named,
then the accepted ones combined.

One change per idea; each is audited against the untouched baseline. Accepted ideas are then stacked on the best one and
measured again, because gains interact.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from outpace_audit.errors import JudgeError, ModelError, OutOfResources, TargetError
from outpace_audit.records import Idea, Patch
from outpace_optimizers import compiling
from outpace_optimizers.elsewhere import Placed, place, recorded
from outpace_optimizers.evidence import is_file, read_evidence
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.model.at_hand import kernels_at_hand
from outpace_optimizers.model.known import known_of
from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.model.search import ModelSearch, Surroundings
from outpace_optimizers.rebase import as_it_is_now, reapplied
from outpace_optimizers.records import (
    MODEL_RULE,
    TUNER_RULE,
    Again,
    Ending,
    Listener,
    ModelRequest,
    OptimizeRequest,
    Report,
    Spend,
    StageEvent,
    Trial,
    TrialStarted,
)
from outpace_optimizers.rules.registry import Rule, ideas, load_rules, suited, usable
from outpace_optimizers.session import Session, candidate_file
from outpace_optimizers.stored_trial import stored_trial
from outpace_optimizers.targets.sol_adapter import solution_idea
from outpace_optimizers.targets.sol_definition import read_definition
from outpace_optimizers.targets.sol_execbench import FEW, load_problem_folder
from outpace_optimizers.targets.sol_solution import read_solution
from outpace_optimizers.tuner.tuning import AUDITED, Tuning
from outpace_optimizers.workspace import Workspace

FIRST_GRACE_S = 180.0
"""A trial that is under way when the budget is spent may go on for the budget's length again, the first one for this
long at least: a short budget on a slow machine would end without any verdict."""
LONGEST_GRACE_S = 900.0
"""An audit takes minutes: one that still goes on then hangs, however many hours the budget has."""


def optimize(request: OptimizeRequest, listener: Listener, judges: Judges) -> Report:
    """Audits what rules and model propose until they are dry or a budget is spent; always says which."""
    _refuse_unknown(request.skip)
    with Session.of_file(Path(request.path), request, listener, judges) as session:
        return _Run(session, request, listener).report()


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
    placed, workspace = _found(reference, Workspace(root))
    return _measured_again(placed, workspace, how, listener, judges)


def recheck(reference: str, root: Path, how: Again, listener: Listener, judges: Judges) -> Trial:
    """The same for the text that the verdict's file holds now. Raises StaleVerdict where the change does not apply."""
    placed, workspace = _found(reference, Workspace(root))
    return _measured_again(replace(placed, trial=as_it_is_now(placed.trial)), workspace, how, listener, judges)


def _measured_again(placed: Placed, workspace: Workspace, how: Again, listener: Listener, judges: Judges) -> Trial:
    stored = placed.trial.measured(how)
    with Session.of_stored(stored, workspace, listener, judges) as session:
        listener(StageEvent(f"replaying {stored.idea.title} on {stored.target.name}"))
        trial = session.try_stored(stored)
        notes = (recorded(stored.verdict), *placed.notes, *session.notes, *session.troubles)
        return replace(trial, notes=tuple(dict.fromkeys(notes)))


def _found(reference: str, workspace: Workspace) -> tuple[Placed, Workspace]:
    if is_file(reference):
        return place(read_evidence(Path(reference)), workspace.root, reference), workspace
    stored = stored_trial(workspace, reference)
    return Placed(stored, ()), Workspace.of(Path(stored.target.code.path))


def _refuse_unknown(skipped: Sequence[str]) -> None:
    known = [*(rule.id for rule in load_rules().rules), TUNER_RULE]
    for name in skipped:
        if name not in known:
            raise TargetError(f"no rule {name!r} to skip; rules: {', '.join(known)}")


class _Run:
    """One `optimize`: its trials and why it stopped."""

    def __init__(self, session: Session, request: OptimizeRequest, listener: Listener) -> None:
        self._session = session
        self._request = request
        self._tell = listener
        self._deadline = time.monotonic() + request.budget_s
        self._trials: list[Trial] = []
        self._failure = ""
        self._ending: Ending = "done"
        self._spend: Spend | None = None
        self._notes: list[str] = [*session.notes, session.timed]
        loaded = load_rules()
        dtypes = {spec.dtype for one in session.target.workloads for spec in one.args if spec.dtype is not None}
        rules = suited(usable(loaded.rules, session.machine), session.target.code, dtypes)
        self._rules = {rule.id: rule for rule in rules if rule.id not in request.skip}
        self._notes += [f"rule {trouble.rule} not used: {trouble.message}" for trouble in loaded.troubles]

    def report(self) -> Report:
        stop = self._try_all()
        if self._request.model is not None and not self._failure:
            stop = self._ask_model(self._request.model)
            stop = self._failure or self._combine() or stop
        stop = self._failure or stop or self._combine() or "no ideas left"
        session = self._session
        notes = (*self._notes, *session.troubles)
        ending = "failed" if self._failure else self._ending
        return Report(session.target, session.machine, tuple(self._trials), stop, notes, self._spend, ending)

    def _try_all(self) -> str:
        """Why it stopped early, or nothing."""
        found = ideas(self._session.target.code, list(self._rules.values()))
        self._notes += [f"rule {trouble.rule} failed: {trouble.message}" for trouble in found.troubles]
        # Cheap to check first: an idea that compiles takes ten times as long as one that does not.
        source = self._session.target.code.source
        ways = compiling.sensible(
            [idea for idea in found.ideas if idea.rule in compiling.RULES], self._session.target.workloads
        )
        others = [idea for idea in found.ideas if idea.rule not in compiling.RULES]
        slow = [idea for idea in others if "torch.compile" in added_text(idea, source)]
        plain = [idea for idea in others if idea not in slow]
        ordered = [*plain, *slow, *ways]
        untried = self._try_each(ordered, 0, len(plain))
        if not self._failure and TUNER_RULE not in self._request.skip:
            self._tune()
        untried += self._try_each(ordered, len(plain), len(plain) + len(slow))
        untried += self._try_ways(ordered, len(ways))
        if self._failure:
            return self._failure
        if not ordered and not self._trials:
            return "no rule matches this code"
        if not untried:
            return ""
        self._ending = "time"
        return f"the time budget is spent, {untried} of {len(ordered)} ideas not tried"

    def _try_each(self, ordered: Sequence[Idea], first: int, last: int) -> int:
        """Those from `first` up to `last`, exclusive; how many there was no time for."""
        untried = 0
        for number, idea in enumerate(ordered[first:last], first + 1):
            if self._failure:
                break
            if self._past() and not self._session.knows(idea):
                untried += 1
                continue
            self._tell(TrialStarted(number, len(ordered), idea.title))
            self._try(idea)
        return untried

    def _try_ways(self, ordered: Sequence[Idea], count: int) -> int:
        """The last `count` are ways to compile, of which one is wanted: what the ledger knows, else the best in a first
        look, whose time is the trial's. How many there was no time for."""
        total, first = len(ordered), len(ordered) - count
        known = [idea for idea in ordered[first:] if self._session.knows(idea)]
        if self._any_accepted(known, first, total) or self._failure:
            return 0
        rest = [idea for idea in ordered[first:] if idea not in known]
        found = self._looked_at(rest) if len(rest) > 1 and not self._past() else None
        if found is None:
            return self._try_each([*ordered[:first], *known, *rest], total - len(rest), total)
        self._notes += found.notes
        if self._any_accepted(found.plain, total - len(rest), total) and self._past():
            return len(found.searched)
        self._any_accepted(found.searched, total - len(found.searched), total)
        return 0

    def _looked_at(self, ways: Sequence[Idea]) -> compiling.Ways | None:
        """None where no look can be had: each then has to be audited."""
        self._tell(StageEvent(f"a first look at {len(ways)} ways to compile"))
        closely = compiling.look_limit(self._deadline - time.monotonic())
        try:
            looks = self._session.quick_looks([idea.patch for idea in ways], closely)
        except OutOfResources as error:
            self._notes.append(f"ways to compile: no first look: {error}")
            return None
        except JudgeError as error:
            self._failure = f"the judge failed at a first look at ways to compile: {error}"
            return compiling.Ways((), ())
        return compiling.ordered(ways, looks)

    def _any_accepted(self, wanted: Sequence[Idea], first: int, total: int) -> bool:
        """Tries one after the other until one is."""
        for number, idea in enumerate(wanted, first + 1):
            trial = None if self._failure else self._judged(idea, number, total)
            if trial is not None and trial.verdict.accepted:
                return True
        return False

    def _past(self) -> bool:
        return time.monotonic() > self._deadline

    def _tune(self) -> None:
        tuning = Tuning(self._session, self._request.fresh, self._request.budget_s, self._over, self._tell)
        try:
            tuning.run(self._judge_of_tuner)
        except OutOfResources as error:
            self._notes.append(f"the tuner stopped: {error}")
        except JudgeError as error:
            self._failure = f"the judge failed while the tuner was at work: {error}"
        self._notes += tuning.notes

    def _judge_of_tuner(self, idea: Idea, number: int) -> Trial | None:
        if self._past() and not self._session.knows(idea):
            return None
        return self._judged(idea, number, AUDITED)

    def _ask_model(self, request: ModelRequest) -> str:
        """Why it is not asked any more."""
        session = self._session
        known = known_of(session.workspace.state, session.target, session.machine)
        titles = tuple(rule.title for rule in self._rules.values())
        kernels = kernels_at_hand(session.machine, session.python)
        facts = Facts(session.machine, session.timed, session.facts, known, titles, kernels)
        around = Surroundings(
            lambda: self._trials, self._judge_of_model, self._over, lambda t: self._tell(StageEvent(t))
        )
        try:
            with ModelSearch.of(
                request, session.target, facts, session.workspace, around, fresh=self._request.fresh
            ) as search:
                try:
                    return search.run()
                finally:
                    self._spend = search.spend()
                    self._notes += search.troubles
                    if search.unreached:
                        self._ending = "failed"
        except ModelError as error:
            self._notes.append(str(error))
            return f"the model was not asked: {error}"

    def _judge_of_model(self, idea: Idea) -> Trial | None:
        number = 1 + sum(trial.idea.rule == MODEL_RULE for trial in self._trials)
        return self._judged(idea, number, number)

    def _judged(self, idea: Idea, number: int, total: int) -> Trial | None:
        self._tell(TrialStarted(number, total, idea.title))
        before = len(self._trials)
        self._try(idea)
        return self._trials[-1] if len(self._trials) > before else None

    def _over(self) -> str:
        """Of the tuner's part and the model's."""
        if self._failure or not self._past():
            return self._failure
        self._ending = "time"
        return "the time budget is spent"

    def _combine(self) -> str:
        """Stacks accepted ideas of other rules on the best one, as long as that makes it better."""
        best = self._best()
        tried = {best.id} if best else set[str]()
        while best is not None and not self._failure:
            partners = [t for t in self._trials if t.verdict.accepted and t.id not in tried and "+" not in t.idea.rule]
            if not partners:
                return ""
            partner = max(partners, key=lambda trial: trial.verdict.speedup or 0.0)
            tried.add(partner.id)
            by_rule = partner.idea.rule in self._rules
            stacked = (
                self._stack(best, self._rules[partner.idea.rule], partner.idea)
                if by_rule
                else self._merge(best, partner.idea)
            )
            if stacked is None:
                continue
            if self._past() and not self._session.knows(stacked):
                self._ending = "time"
                return "the time budget is spent before all combinations were tried"
            self._tell(TrialStarted(1, 1, stacked.title))
            self._try(stacked)
            best = self._best()
        return self._failure

    def _stack(self, best: Trial, rule: Rule, wanted: Idea) -> Idea | None:
        """The partner's rule applied to the source that the best trial left, as one patch of the original."""
        original = self._session.target.code
        code = replace(original, source=best.idea.patch.new_source)
        for idea in ideas(code, [rule]).ideas:
            if same_change(idea, code.source, wanted, original.source):
                return both(best.idea, idea, idea.patch.new_source)
        return None

    def _merge(self, best: Trial, wanted: Idea) -> Idea | None:
        """The places that a model's idea changes, or the tuner's, changed in the source that the best trial left; None
        where one of them is not there any more."""
        text = reapplied(self._session.target.code.source, wanted.patch.new_source, best.idea.patch.new_source)
        return None if text is None or text == best.idea.patch.new_source else both(best.idea, wanted, text)

    def _best(self) -> Trial | None:
        session = self._session
        return Report(session.target, session.machine, tuple(self._trials), "").best

    def _time_left(self) -> float:
        """Of a trial that begins now, in seconds."""
        return self._deadline + grace_s(self._request.budget_s, first=not self._trials) - time.monotonic()

    def _try(self, idea: Idea) -> None:
        try:
            self._trials.append(self._session.try_idea(idea, limit_s=self._time_left()))
        except OutOfResources as error:
            self._notes.append(f"{idea.title}: not judged: {error}")
        except JudgeError as error:
            if not self._trials:
                raise
            self._failure = f"the judge failed at {idea.title}: {error}"


def grace_s(budget_s: float, *, first: bool) -> float:
    """How long a trial may go on once the budget is spent."""
    return min(max(budget_s, FIRST_GRACE_S) if first else budget_s, LONGEST_GRACE_S)


def both(best: Idea, other: Idea, text: str) -> Idea:
    """`text`, with both changes, as one patch of the original."""
    spans = tuple(dict.fromkeys((*best.patch.spans, *other.patch.spans)))
    patch = Patch(best.patch.path, best.patch.base_hash, text, spans)
    proposer = best.proposer if best.rule == MODEL_RULE else other.proposer
    return Idea(
        f"{best.rule}+{other.rule}",
        f"{best.title}, and {other.title}",
        "both were accepted alone; gains interact",
        "tolerant",
        patch,
        proposer,
    )


def same_change(one: Idea, before_one: str, other: Idea, before_other: str) -> bool:
    """Whether two edits of one rule, each of a text of its own, are the same. Titles repeat: two loops of one function
    have one each. Lines that kernels share are there from the first kernel on.
    """
    known = f"{before_one}\n{before_other}"
    return one.title == other.title and added_text(one, known) == added_text(other, known)


def added_text(idea: Idea, before: str) -> str:
    """Lines that the edit adds."""
    known = set(before.splitlines())
    return "\n".join(line for line in idea.patch.new_source.splitlines() if line not in known)
