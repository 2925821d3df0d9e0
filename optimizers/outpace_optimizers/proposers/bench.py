"""Where the ideas of one run are judged: its trials, its clock, and what stops it."""

from __future__ import annotations

import time
from typing import Protocol

from outpace_audit.errors import JudgeError, OutOfResources
from outpace_audit.records import Idea
from outpace_optimizers.costs import TimedListener
from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.model.stopping import best_of, near_floor
from outpace_optimizers.records import (
    NOT_ASKED,
    Asked,
    Ending,
    Event,
    Listener,
    OptimizeRequest,
    Trial,
    TrialStarted,
)
from outpace_optimizers.session import Session

FIRST_GRACE_S = 180.0
"""A trial that is under way when the budget is spent may go on for the budget's length again, the first one for this
long at least: a short budget on a slow machine would end without any verdict."""
LONGEST_GRACE_S = 900.0
"""An audit takes minutes: one that still goes on then hangs, however many hours the budget has."""


class Proposer(Protocol):
    """Takes turns until it is not `ready` any more. Once the bench is `closed` it proposes only what the ledger knows,
    and says what it left untried."""

    @property
    def name(self) -> str:
        """One of turns/choice.py's."""
        ...

    @property
    def ready(self) -> bool: ...

    def turn(self) -> None: ...


class Bench:
    """Of one run; `failure` is why nothing can be judged any more."""

    def __init__(self, session: Session, request: OptimizeRequest, listener: Listener) -> None:
        self.session = session
        self.request = request
        self.trials: list[Trial] = []
        self.notes: list[str] = []
        self.failure = ""
        self.ending: Ending = "done"
        self.untried = 0
        """Ideas that there was no time for."""
        self._heard = listener if isinstance(listener, TimedListener) else TimedListener(listener)
        self._deadline = time.monotonic() + request.budget_s

    def tell(self, event: Event) -> None:
        self._heard(event)

    @property
    def worked_s(self) -> float:
        """Without waiting for others on the device, as far as the session tells the same listener of it."""
        return self._heard.watch.worked_s()

    @property
    def left_s(self) -> float:
        return self._deadline - time.monotonic()

    @property
    def past(self) -> bool:
        return self.left_s < 0

    @property
    def over(self) -> str:
        """Why nothing new is begun, or nothing."""
        if self.failure:
            return self.failure
        return "the time budget is spent" if self.past else self.floor

    @property
    def floor(self) -> str:
        session = self.session
        return near_floor(Facts(session.machine, session.timed, session.facts), self.trials)

    def closed_to(self, idea: Idea) -> bool:
        return bool(self.over) and not self.session.knows(idea)

    def leave(self, ideas: int = 1) -> None:
        """For want of time, or because little is left to gain."""
        self.untried += ideas
        if self.past:
            self.ending = "time"

    def judge(self, idea: Idea, number: int, total: int, asked: Asked = NOT_ASKED) -> Trial | None:
        """None where no verdict could be reached. `asked`: what a model was paid for it."""
        if self.failure:
            return None
        self.tell(TrialStarted(number, total, idea.title))
        limit_s = self.left_s + grace_s(self.request.budget_s, first=not self.trials)
        try:
            trial = self.session.try_idea(idea, limit_s=limit_s, asked=asked)
        except OutOfResources as error:
            self.notes.append(f"{idea.title}: not judged: {error}")
            return None
        except JudgeError as error:
            if not self.trials:
                raise
            self.failure = f"the judge failed at {idea.title}: {error}"
            return None
        self.trials.append(trial)
        return trial

    @property
    def best(self) -> Trial | None:
        return best_of(self.trials)

    @property
    def best_low(self) -> float:
        """The lower bound of the best audited speedup; 1 without any."""
        best = self.best
        return best.verdict.interval[0] if best is not None and best.verdict.interval else 1.0


def grace_s(budget_s: float, *, first: bool) -> float:
    """How long a trial may go on once the budget is spent."""
    return min(max(budget_s, FIRST_GRACE_S) if first else budget_s, LONGEST_GRACE_S)
