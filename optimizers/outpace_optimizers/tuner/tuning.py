"""The tuner's part of a run: settings are looked at, and what seems best becomes an idea like any other."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field

from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import Idea, QuickLook
from outpace_optimizers.records import TUNER_RULE, StageEvent, Trial
from outpace_optimizers.session import Session
from outpace_optimizers.tuner.finding import find_knobs
from outpace_optimizers.tuner.kept import KeptLooks
from outpace_optimizers.tuner.knobs import Knob, Values, said, written
from outpace_optimizers.tuner.search import Limits, Search

AUDITED = 2
"""Settings of one target: the third best of noisy looks is seldom what the two better ones were not."""
MARGIN = {"cpu": 1.05, "cuda": 1.03}
"""What a first look has to show: less is its noise, and an audit takes as long as twenty looks."""
BATCH = {"cpu": 4, "cuda": 8}
SHARE = 1 / 3
"""Of the budget, for looking."""


@dataclass(slots=True)
class Tuning:
    """Of one session's target. `notes`: what a report has to say of it."""

    session: Session
    fresh: bool
    budget_s: float
    stopped: Callable[[], str]
    """Why the run is over, or nothing."""
    tell: Callable[[StageEvent], None]
    notes: list[str] = field(default_factory=list[str])

    @property
    def applies(self) -> bool:
        return bool(find_knobs(self.session.target.code))

    def turns(self, judge: Callable[[Idea, int], Trial | None]) -> Generator[bool]:
        """True after each audit. `judge` audits an idea, by its number; None where no verdict could be reached."""
        knobs = find_knobs(self.session.target.code)
        if not knobs:
            return
        try:
            search = self._searched(knobs)
        except EnvironmentMissing as error:
            names = ", ".join(knob.name for knob in knobs)
            self.notes.append(f"the tuner was not used on {names}: {error}")
            return
        failed: Trial | None = None
        tried: list[Values] = []
        for number in range(1, AUDITED + 1):
            values = _next(search, tried, failed, MARGIN[self.session.machine.device])
            if values is None:
                return
            tried.append(values)
            failed = judge(self._idea(knobs, values, search), number)
            if failed is None or failed.verdict.accepted:
                return
            yield True

    def _searched(self, knobs: Sequence[Knob]) -> Search:
        kept = KeptLooks(self.session.workspace, self.session.target, self.session.machine, knobs)
        search = Search(knobs, {} if self.fresh else kept.known())
        limits = Limits(batch=BATCH[self.session.machine.device])
        until = time.monotonic() + self.budget_s * SHARE

        def measure(wanted: Sequence[Values]) -> Sequence[QuickLook]:
            self.tell(StageEvent(f"tuning: {len(search.looks)} of {search.size} settings tried"))
            patches = [written(self.session.target.code, knobs, values) for values in wanted]
            looks = self.session.quick_looks(patches)
            kept.add(wanted, looks)
            return looks

        def stopped() -> str:
            return self.stopped() or ("its share of the time budget is spent" if time.monotonic() > until else "")

        why = search.run(measure, stopped, limits)
        names = ", ".join(knob.name for knob in knobs)
        self.notes += [f"the tuner on {names}: {why}", *([kept.trouble] if kept.trouble else [])]
        return search

    def _idea(self, knobs: Sequence[Knob], values: Values, search: Search) -> Idea:
        rationale = f"the best of {len(search.looks)} settings in a first look, {search.size} are possible"
        patch = written(self.session.target.code, knobs, values)
        return Idea(TUNER_RULE, said(knobs, values), rationale, "tolerant", patch, TUNER_RULE)


def _next(search: Search, tried: Sequence[Values], failed: Trial | None, margin: float) -> Values | None:
    """The best that is left; after one that was wrong, sooner one that leaves something of it as it was."""
    left = [values for values in search.ranked(margin) if values not in tried]
    if failed is not None and failed.verdict.failed is not None and failed.verdict.failed.level != "L4":
        wrong = set(_changed(search, tried[-1]))
        left = [values for values in left if not wrong <= set(_changed(search, values))] or left
    return left[0] if left else None


def _changed(search: Search, values: Values) -> Iterator[int]:
    """The places of knobs that are not as they were."""
    return (i for i, (now, was) in enumerate(zip(values, search.current, strict=True)) if now != was)
