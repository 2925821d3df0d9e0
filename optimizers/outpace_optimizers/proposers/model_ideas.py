"""A language model's part of a run: asked for the first time when its turn comes."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence

from outpace_audit.errors import ModelError
from outpace_audit.records import Idea
from outpace_optimizers.model.at_hand import kernels_at_hand
from outpace_optimizers.model.known import known_of
from outpace_optimizers.model.prompt import Facts
from outpace_optimizers.model.search import ModelSearch
from outpace_optimizers.model.surroundings import Known, Surroundings
from outpace_optimizers.proposers.bench import Bench
from outpace_optimizers.records import MODEL_RULE, NOT_ASKED, Asked, ModelRequest, Spend, StageEvent, Trial


class ModelIdeas:
    """`titles`: of the rules at hand. `record`: hears what each question could tell. `stop`: why it is not asked any
    more."""

    name = "model"

    def __init__(
        self,
        bench: Bench,
        request: ModelRequest,
        titles: Sequence[str],
        record: Callable[[Known], None] = lambda known: None,
    ) -> None:
        self._bench = bench
        self._request = request
        self._titles = titles
        self._record = record
        self._search: ModelSearch | None = None
        self._turns = self._all()
        self._asked = NOT_ASKED
        self.spend: Spend | None = None
        self.stop = ""

    @property
    def ready(self) -> bool:
        return not self.stop and not self._bench.failure

    @property
    def waits(self) -> bool:
        """For a reply: what others have to try can be measured meanwhile."""
        return self._search is not None and self._search.waits

    def turn(self) -> None:
        if self._search is None and self._bench.over:
            self.stop = self._bench.over
            self._note_time()
        elif not next(self._turns, False):
            self.stop = self.stop or self._bench.over

    def close(self) -> None:
        """Ends its process; where it was not told why (`turn`), its run goes on the next time."""
        self._turns.close()

    @property
    def asked(self) -> Asked:
        """Of this run so far."""
        if self._search is not None:
            self._asked = self._search.asked
        return self._asked

    def _all(self) -> Generator[bool]:
        """True after each turn."""
        bench, session = self._bench, self._bench.session
        known = known_of(session.workspace.state, session.target, session.machine)
        kernels = kernels_at_hand(session.machine, session.python)
        facts = Facts(session.machine, session.timed, session.facts, known, self._titles, kernels)
        around = Surroundings(
            lambda: bench.trials, self._judged, lambda: bench.over, lambda text: bench.tell(StageEvent(text)),
            lambda: bench.left_s, self._record,
        )  # fmt: skip
        try:
            with ModelSearch.of(
                self._request, session.target, facts, session.workspace, around, fresh=bench.request.fresh
            ) as self._search:
                try:
                    self.stop = yield from self._search.turns()
                    self._note_time()
                finally:
                    self.spend, self._asked = self._search.spend(), self._search.asked
                    bench.notes += self._search.troubles
                    if self._search.unreached:
                        bench.ending = "failed"
                    self._search = None
        except ModelError as error:
            bench.notes.append(str(error))
            self.stop = f"the model was not asked: {error}"

    def _judged(self, idea: Idea) -> Trial | None:
        assert self._search is not None, "it has answered"
        number = 1 + sum(trial.idea.rule == MODEL_RULE for trial in self._bench.trials)
        return self._bench.judge(idea, number, number, self._search.paid)

    def _note_time(self) -> None:
        if self._bench.past and self.stop == self._bench.over and not self._bench.failure:
            self._bench.ending = "time"
