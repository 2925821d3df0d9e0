"""Accepted ideas stacked on the best one and measured again, because gains interact."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from outpace_audit.records import Idea, Patch
from outpace_optimizers.proposers.bench import Bench
from outpace_optimizers.rebase import reapplied
from outpace_optimizers.records import MODEL_RULE, Trial
from outpace_optimizers.rules.registry import Rule, ideas

SPENT = "the time budget is spent before all combinations were tried"


class Combining:
    """Ready whenever there is an accepted idea that was not yet put on the best, or on what the best is made of."""

    name = "combining"

    def __init__(self, bench: Bench, rules: Mapping[str, Rule]) -> None:
        self._bench = bench
        self._rules = rules
        self._parts: dict[str, frozenset[str]] = {}
        """By a combination's id, those of what it is made of."""
        self._paired: set[tuple[str, str]] = set()
        self._next: tuple[Trial, Trial, Idea] | None = None
        self._judged = -1
        self.stop = ""

    @property
    def ready(self) -> bool:
        if self._bench.failure or self.stop:
            return False
        if self._judged != len(self._bench.trials):
            self._judged = len(self._bench.trials)
            self._next = self._found()
        return self._next is not None

    def turn(self) -> None:
        assert self._next is not None, "it is ready"
        best, partner, idea = self._next
        self._judged = -1
        self._paired.add((best.id, partner.id))
        if self._bench.closed_to(idea):
            if self._bench.past:
                self._bench.ending, self.stop = "time", SPENT
            return
        trial = self._bench.judge(idea, 1, 1)
        if trial is not None:
            self._parts[trial.id] = self._made_of(best) | self._made_of(partner)

    def _found(self) -> tuple[Trial, Trial, Idea] | None:
        best = self._bench.best
        if best is None:
            return None
        alone = [one for one in self._bench.trials if one.verdict.accepted and "+" not in one.idea.rule]
        for partner in sorted(alone, key=lambda trial: trial.verdict.speedup or 0.0, reverse=True):
            if self._was_tried(best, partner):
                continue
            idea = self._stacked(best, partner.idea)
            if idea is not None:
                return best, partner, idea
            self._paired.add((best.id, partner.id))
        return None

    def _was_tried(self, best: Trial, partner: Trial) -> bool:
        inside = self._made_of(best) | {best.id}
        return partner.id in inside or any((one, partner.id) in self._paired for one in inside)

    def _made_of(self, trial: Trial) -> frozenset[str]:
        return self._parts.get(trial.id, frozenset()) | {trial.id}

    def _stacked(self, best: Trial, wanted: Idea) -> Idea | None:
        rule = self._rules.get(wanted.rule)
        return self._by_rule(best, rule, wanted) if rule is not None else self._merged(best, wanted)

    def _by_rule(self, best: Trial, rule: Rule, wanted: Idea) -> Idea | None:
        """The partner's rule applied to the source that the best trial left, as one patch of the original."""
        original = self._bench.session.target.code
        code = replace(original, source=best.idea.patch.new_source)
        for idea in ideas(code, [rule]).ideas:
            if same_change(idea, code.source, wanted, original.source):
                return both(best.idea, idea, idea.patch.new_source)
        return None

    def _merged(self, best: Trial, wanted: Idea) -> Idea | None:
        """The places that a model's idea changes, or the tuner's, changed in the source that the best trial left; None
        where one of them is not there any more."""
        original = self._bench.session.target.code.source
        text = reapplied(original, wanted.patch.new_source, best.idea.patch.new_source)
        return None if text is None or text == best.idea.patch.new_source else both(best.idea, wanted, text)


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
