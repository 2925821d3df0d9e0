"""One `optimize` of one target: its proposers take turns until they are dry or a budget is spent."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import count

from outpace_audit.records import Idea
from outpace_optimizers import compiling
from outpace_optimizers.proposers.bench import Bench, Proposer
from outpace_optimizers.proposers.carried import edits_for, likely_rules
from outpace_optimizers.proposers.combining import Combining, added_text
from outpace_optimizers.proposers.model_ideas import ModelIdeas
from outpace_optimizers.proposers.rule_ideas import Compiling, RuleIdeas
from outpace_optimizers.proposers.tuner_ideas import TunerIdeas
from outpace_optimizers.records import (
    CARRIED_RULE,
    TUNER_RULE,
    Asked,
    Listener,
    OptimizeRequest,
    Report,
    Turn,
    TurnTaken,
)
from outpace_optimizers.rules.registry import Rule, ideas, load_rules, suited, usable
from outpace_optimizers.session import Session
from outpace_optimizers.stored_trial import Winner
from outpace_optimizers.turns.book import TurnBook
from outpace_optimizers.turns.choice import Budgets, choose

LEAST_TURN_S = 1.0
"""A turn without a trial is no turn where it took less: whoever had it was dry, or what it tried was known."""


class Run:
    """Its trials and why it stopped."""

    def __init__(self, session: Session, request: OptimizeRequest, listener: Listener) -> None:
        self.bench = Bench(session, request, listener)
        self._session = session
        self._request = request
        self._found = 0
        """Ideas of rules."""
        loaded = load_rules()
        dtypes = {spec.dtype for one in session.target.workloads for spec in one.args if spec.dtype is not None}
        rules = suited(usable(loaded.rules, session.machine), session.target.code, dtypes)
        self.rules: dict[str, Rule] = {rule.id: rule for rule in rules if rule.id not in request.skip}
        self.bench.notes += [*session.notes, session.timed]
        self.bench.notes += [f"rule {trouble.rule} not used: {trouble.message}" for trouble in loaded.troubles]
        self._model: ModelIdeas | None = None
        self._book = session.turn_book()

    def report(self) -> Report:
        bench, session = self.bench, self._session
        proposers = self.proposers(session.winners(), self._book.begun)
        try:
            self._take_turns(proposers, self._book)
            _empty(proposers)
        finally:
            if self._model is not None:
                self._model.close()
        stop = self._stop(proposers)
        ending = "failed" if bench.failure else bench.ending
        notes = (*bench.notes, *session.troubles)
        spend = self._model.spend if self._model is not None else None
        return Report(session.target, session.machine, tuple(bench.trials), stop, notes, spend, ending)

    def proposers(self, winners: Sequence[Winner], begun: float) -> list[Proposer]:
        """The one that is preferred among equals first. `winners` of the project; those from before this run has
        `begun` say which rules are likely here, later ones must not change whose turns these are."""
        bench, source = self.bench, self._session.target.code.source
        found = ideas(self._session.target.code, list(self.rules.values()))
        bench.notes += [f"rule {trouble.rule} failed: {trouble.message}" for trouble in found.troubles]
        ways = compiling.sensible(_of(found.ideas, compiling.RULES), self._session.target.workloads)
        others = [idea for idea in found.ideas if idea.rule not in compiling.RULES]
        slow = [idea for idea in others if "torch.compile" in added_text(idea, source)]
        plain = [idea for idea in others if idea not in slow]
        likely, edits = self._carried([one for one in winners if one.at < begun], winners)
        first = [*(idea for idea in plain if idea.rule in likely), *edits]
        plain = [idea for idea in plain if idea not in first]
        self._found = total = len(first) + len(plain) + len(slow) + len(ways)
        proposers: list[Proposer] = [
            RuleIdeas("carried", bench, first, total),
            RuleIdeas("rules", bench, plain, total, len(first) + 1),
            Combining(bench, self.rules),
        ]
        if TUNER_RULE not in self._request.skip:
            proposers.append(TunerIdeas(bench))
        proposers.append(Compiling(bench, slow, ways, total))
        if self._request.model is not None:
            titles = [rule.title for rule in self.rules.values()]
            self._model = ModelIdeas(bench, self._request.model, titles, self._book.asks)
            proposers.append(self._model)
        return proposers

    def _carried(self, before: Sequence[Winner], all_: Sequence[Winner]) -> tuple[set[str], list[Idea]]:
        if CARRIED_RULE in self._request.skip:
            return set(), []
        target, machine = self._session.target, self._session.machine
        others = [one for one in all_ if one.stored.idea.rule not in self.rules]
        return likely_rules(target, machine, before), edits_for(target, others)

    def _take_turns(self, proposers: Sequence[Proposer], book: TurnBook) -> None:
        for number in count():
            if self.bench.over:
                return
            ready = self._ready(proposers)
            if not ready:
                return
            name = book.chosen(number)
            if name not in ready:
                name = choose(list(ready), book.seen(), self._budgets)
            book.choose(number, name)
            turn = self._taken(ready[name])
            if turn is not None:
                book.took(turn)
                self.bench.tell(TurnTaken(turn))

    def _ready(self, proposers: Sequence[Proposer]) -> dict[str, Proposer]:
        """By name. Who would have to wait for a model is not, unless nobody else is."""
        ready = {one.name: one for one in proposers if one.ready}
        at_once = {name: one for name, one in ready.items() if not (isinstance(one, ModelIdeas) and one.waits)}
        return at_once or ready

    def _taken(self, proposer: Proposer) -> Turn | None:
        """None where nothing came of it that has cost anything."""
        bench = self.bench
        before, best, paid, worked = len(bench.trials), bench.best_low, self._asked, bench.worked_s
        proposer.turn()
        asked = Asked(
            self._asked.seconds - paid.seconds, self._asked.tokens - paid.tokens, self._asked.dollars - paid.dollars
        )
        fresh = [trial for trial in bench.trials[before:] if trial.known_since is None]
        seconds = max(bench.worked_s - worked - asked.seconds, 0.0)
        if not fresh and seconds < LEAST_TURN_S and not asked.tokens:
            return None
        won = sum(trial.verdict.accepted for trial in fresh)
        factor = bench.best_low / best if won else 1.0
        return Turn(proposer.name, len(fresh), won, factor, seconds, asked)

    @property
    def _asked(self) -> Asked:
        return self._model.asked if self._model is not None else Asked()

    @property
    def _budgets(self) -> Budgets:
        model = self._request.model
        tokens, dollars = (model.tokens_per_run, model.dollars_per_run) if model else (math.inf, math.inf)
        return Budgets(self._request.budget_s, tokens, dollars)

    def _stop(self, proposers: Sequence[Proposer]) -> str:
        """One reason, the gravest first."""
        bench = self.bench
        if bench.failure:
            return bench.failure
        if bench.untried:
            return f"{bench.over}, {bench.untried} of {self._found} ideas not tried"
        said = [one.stop for one in proposers if isinstance(one, (ModelIdeas, Combining)) and one.stop]
        if said or bench.floor:
            return said[-1] if said else bench.floor
        return "no rule matches this code" if not self._found and not bench.trials else "no ideas left"


def _empty(proposers: Sequence[Proposer]) -> None:
    """Of what the ledger knows; each says what it leaves."""
    for one in proposers:
        while one.ready:
            one.turn()


def _of(found: Sequence[Idea], rules: Sequence[str]) -> list[Idea]:
    return [idea for idea in found if idea.rule in rules]
