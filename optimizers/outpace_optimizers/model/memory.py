"""What one search remembers: which run it is, what earlier ones have learnt, and what this one learns."""

from __future__ import annotations

from collections.abc import Sequence

from outpace_audit.records import Machine, content_id
from outpace_optimizers.model.approach import approach_of, scope_of
from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.records import ModelRequest, Target, Trial
from outpace_optimizers.source import parse


class Memory:
    """Begins a run, or goes on with one that was killed."""

    def __init__(
        self,
        spending: Spending,
        lessons: Lessons,
        request: ModelRequest,
        target: Target,
        machine: Machine,
        *,
        fresh: bool,
    ) -> None:
        self._spending = spending
        self._lessons = lessons
        self._before = target.code.source
        self._scope = scope_of(target, parse(target.code.path, target.code.source), machine)
        workloads = [workload.id for workload in target.workloads]
        subject = content_id(target.code.id, workloads, request.name, self._scope.machine)
        self.run = spending.begin(subject, lessons.lines_for(self._scope), fresh=fresh)

    @property
    def lines(self) -> Sequence[str]:
        """Lessons that the questions of this run show."""
        return self.run.lessons

    @property
    def trouble(self) -> str:
        return self._lessons.trouble

    def learn(self, tried: Sequence[Trial]) -> None:
        """From each trial of one idea once; a combination of two says nothing of either."""
        for trial in tried:
            if "+" not in trial.idea.rule:
                approach = approach_of(self._before, trial.idea.patch.new_source)
                self._lessons.learn(approach, trial.verdict, self._scope)

    def end(self, reason: str) -> None:
        self._spending.end(self.run.name, reason)
