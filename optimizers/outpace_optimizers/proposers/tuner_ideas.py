"""The tuner's part of a run: its search and the first audit are one turn, a second audit is another."""

from __future__ import annotations

from collections.abc import Generator

from outpace_audit.errors import JudgeError, OutOfResources
from outpace_audit.records import Idea
from outpace_optimizers.proposers.bench import Bench
from outpace_optimizers.records import Trial
from outpace_optimizers.tuner.tuning import AUDITED, Tuning


class TunerIdeas:
    name = "tuner"

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        request = bench.request
        self._tuning = Tuning(bench.session, request.fresh, request.budget_s, lambda: bench.over, bench.tell)
        self._turns = self._all()
        self.ready = self._tuning.applies

    def turn(self) -> None:
        self.ready = next(self._turns, False) and not self._bench.failure

    def _all(self) -> Generator[bool]:
        """True after each trial."""
        try:
            yield from self._tuning.turns(self._judged)
        except OutOfResources as error:
            self._bench.notes.append(f"the tuner stopped: {error}")
        except JudgeError as error:
            self._bench.failure = f"the judge failed while the tuner was at work: {error}"
        finally:
            self._bench.notes += self._tuning.notes

    def _judged(self, idea: Idea, number: int) -> Trial | None:
        if self._bench.closed_to(idea):
            return None
        return self._bench.judge(idea, number, AUDITED)
