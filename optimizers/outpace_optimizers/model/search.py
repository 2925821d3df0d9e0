"""The model's part of a run: reply after reply, each idea audited and repaired at most twice, until a limit says stop.

One question is under way at a time. Where the search asks ahead, the next one is asked just before an idea is
measured, and answered meanwhile: it says what is being measured, and cannot know the verdict. What is asked, and when,
follows from the turns and the trials alone, so that a run that is started again asks the same questions.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from outpace_audit.errors import ModelError
from outpace_audit.records import Idea
from outpace_optimizers.model import consent
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.asking import Asking
from outpace_optimizers.model.client import Answer, Messages, ModelProcess, is_served_here
from outpace_optimizers.model.conversation import (
    Conversation,
    LimitReachedError,
    QuestionTooLongError,
    UnreachedError,
)
from outpace_optimizers.model.editing import patch_of
from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.model.memory import Memory
from outpace_optimizers.model.prompt import Facts, failure_of, fix_message, messages_for
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.model.shown import require_shown
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.model.stopping import best_of, near_floor
from outpace_optimizers.model.surroundings import Known, Surroundings
from outpace_optimizers.records import NOT_ASKED, Asked, ModelRequest, Spend, Target, Trial
from outpace_optimizers.source import Source, parse
from outpace_optimizers.workspace import Workspace

FIXES = 2
"""Of one idea."""
REPEATED_CHARACTERS = 40_000
"""Of an answer, in the question for its repair: no honest one is longer, and a long one would use up the tokens."""
NOTHING = "(no answer)"
"""In the place of an empty one: some providers refuse a question with an empty message in it."""
REPAIRABLE = ("L0", "L1", "L2", "L3")
"""A failure of these levels can be repaired; being no faster is no mistake in the code."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A question: for an idea, or for a repair of one. `winner`: what it is to build on."""

    messages: Messages
    winner: Trial | None
    repairs: int = 0


class ModelSearch:
    """Opened by `of`."""

    def __init__(
        self,
        request: ModelRequest,
        target: Target,
        facts: Facts,
        conversation: Conversation,
        around: Surroundings,
        memory: Memory | None = None,
    ) -> None:
        self._request = request
        self._target = target
        self._facts = facts
        self._talk = conversation
        self._around = around
        self._memory = memory
        self._ahead = not is_served_here(request.name) if request.ahead is None else request.ahead
        self._source: Source = parse(target.code.path, target.code.source)
        self._under_way: tuple[Wish, Asking] | None = None
        self._repairs: deque[Wish] = deque()
        """That are still to be asked for."""
        self._refused: ModelError | None = None
        """Why nothing could be asked ahead."""
        self._dry = 0
        """Ideas in a row that brought nothing better."""
        self._open = 0
        """Ideas that were asked for, and of which nothing has come yet."""
        self._spoilt: list[str] = []
        """Why answers led to no trial."""
        self.unreached = False
        """It was given up because no answer came."""
        self.paid = NOT_ASKED
        """For the idea that is judged next: all replies since the last that was."""
        self._asked = self._charged = NOT_ASKED
        self._judging_s = 0.0
        self._judged = 0

    @classmethod
    @contextmanager
    def of(
        cls,
        request: ModelRequest,
        target: Target,
        facts: Facts,
        workspace: Workspace,
        around: Surroundings,
        *,
        fresh: bool,
    ) -> Generator[ModelSearch]:
        """Raises ModelError where the model may not be asked about this target."""
        consent.require(request, workspace)
        require_shown(Path(target.code.path), workspace, request.paths)
        with Spending(workspace.state) as spending:
            memory = Memory(spending, Lessons(workspace.state), request, target, facts.machine, fresh=fresh)
            if memory.run.goes_on:
                around.tell("the last run was ended from outside; it goes on within the same limits")
            talk = Conversation(request, ModelProcess(), spending, fresh=fresh, run=memory.run.name)
            try:
                yield cls(request, target, facts, talk, around, memory)
            finally:
                talk.close()

    def run(self) -> str:
        """Why it stopped."""
        turns = self.turns()
        while True:
            try:
                next(turns)
            except StopIteration as end:
                return end.value

    def turns(self) -> Generator[bool, None, str]:
        """True after each question that was asked ahead, and each reply that was made use of; at last why it stopped.
        Others may try ideas in between."""
        stop = yield from self._searched()
        if self._memory is not None:
            self._memory.end(stop)
        return stop

    def _searched(self) -> Generator[bool, None, str]:
        while not (stop := self._around.stopped()):
            self._learn()
            if floor := near_floor(self._facts, self._around.tried()):
                return floor
            try:
                self._turn()
            except LimitReachedError as limit:
                return str(limit)
            except ModelError as error:
                self.unreached = isinstance(error, UnreachedError)
                return f"the model is not asked any more: {error}"
            self._learn()
            if self._dry >= self._request.plateau:
                return f"plateau: {self._dry} ideas of the model in a row brought nothing better"
            yield True
        return stop

    @property
    def waits(self) -> bool:
        """For a reply that is not there yet."""
        return self._under_way is not None and not self._under_way[1].arrived

    @property
    def troubles(self) -> list[str]:
        spoilt = [f"{self._request.name}: an answer led to no trial: {reason}" for reason in self._spoilt]
        return [*spoilt, *([self._memory.trouble] if self._memory is not None and self._memory.trouble else [])]

    def spend(self) -> Spend:
        spent = self._talk.spend()
        return replace(spent, asking_s=self._asked.seconds, judging_s=self._judging_s, judged=self._judged)

    @property
    def asked(self) -> Asked:
        """For all replies that it has made use of since it was opened. What is under way is none of it yet."""
        return self._asked

    def _best(self) -> float:
        """The highest lower bound of an accepted speedup so far."""
        best = best_of(self._around.tried())
        return best.verdict.interval[0] if best is not None and best.verdict.interval else 1.0

    def _learn(self) -> None:
        if self._memory is not None:
            self._memory.learn(self._around.tried())

    def _winner(self) -> Trial | None:
        """What the next idea may build on: the best so far, where a model could have written it."""
        best = best_of(self._around.tried())
        if best is None or best.idea.patch.files:
            return None
        try:
            patch_of(self._source, self._target.name, best.idea.patch.new_source)
        except ReplyError:
            return None
        return best

    def _turn(self) -> None:
        """A question, or what comes of a reply; both where it does not ask ahead."""
        if self._under_way is None:
            self._ask(None)
            if self._ahead:
                return
        found = self._replied()
        if found is None:
            return
        wish, answer = found
        try:
            idea = self._idea_of(answer, wish.winner)
        except ReplyError as error:
            self._talk.unusable += 1
            self._spoilt.append(str(error))
            self._repair(wish, answer, str(error), None)
        else:
            self._try(idea, wish, answer)
        self._ask_ahead(None)

    def _try(self, idea: Idea, wish: Wish, answer: Answer) -> None:
        best = self._best()
        self._ask_ahead(idea)
        trial = self._trial_of(idea)
        failed = trial.verdict.failed if trial is not None else None
        if trial is None:
            self._spoilt.append(f"{idea.title} could not be judged on this machine")
        if trial is not None and failed is not None and failed.level in REPAIRABLE:
            self._repair(wish, answer, failure_of(trial.verdict), failed.level)
        else:
            self._close(better=self._best() > best)

    def _repair(self, wish: Wish, answer: Answer, failure: str, level: str | None) -> None:
        """Asked for as soon as nothing else is, where that can help."""
        if wish.repairs == FIXES:
            self._close(better=False)
            return
        said = {"role": "assistant", "content": answer.text[:REPEATED_CHARACTERS].strip() or NOTHING}
        fix = fix_message(failure, level, of_winner=wish.winner is not None)
        self._repairs.append(Wish([*wish.messages[:2], said, fix], wish.winner, wish.repairs + 1))

    def _close(self, *, better: bool) -> None:
        """Nothing more comes of an idea."""
        self._open -= 1
        self._dry = 0 if better else self._dry + 1

    def _ask_ahead(self, measuring: Idea | None) -> None:
        """Unless what is open is enough for a plateau: no reply is paid for that nobody would try."""
        if not self._ahead or self._under_way is not None or self._around.stopped():
            return
        if not self._repairs and self._dry + self._open >= self._request.plateau:
            return
        try:
            self._ask(measuring)
        except ModelError as error:  # what is measured is not lost for it
            self._refused = error

    def _ask(self, measuring: Idea | None) -> None:
        if self._refused is not None:
            raise self._refused
        wish = self._repairs.popleft() if self._repairs else self._next(measuring)
        first = "an idea" if wish.winner is None else "an idea that builds on the best"
        what = first if wish.repairs == 0 else f"a repair, {wish.repairs} of {FIXES}"
        self._around.record(Known(self._talk.question(wish.messages), self._around.tried(), measuring))
        self._around.tell(f"asking {self._request.name} for {what}")
        self._under_way = wish, self._talk.begin(wish.messages)

    def _next(self, measuring: Idea | None) -> Wish:
        """For an idea; every second one builds on the best."""
        winner = self._winner() if (self._dry + self._open) % 2 == 0 else None
        self._open += 1
        messages = messages_for(
            self._target, self._source, self._facts, self._around.tried(), self._spoilt,
            self._memory.lines if self._memory is not None else (), winner, measuring,
        )  # fmt: skip
        return Wish(messages, winner)

    def _replied(self) -> tuple[Wish, Answer] | None:
        """None where the run is over before it is there, or by the time that it is: a later run has it."""
        assert self._under_way is not None, "something was asked"
        wish, asking = self._under_way
        begun = time.monotonic()
        arrived = asking.wait(self._around.left_s(), self._around.tell)
        waited = time.monotonic() - begun
        self._asked = replace(self._asked, seconds=self._asked.seconds + waited)
        if not arrived or self._around.stopped():
            return None
        self._under_way = None
        self._asked = _sum(self._asked, asking.cost)
        try:
            return wish, asking.answer()
        except QuestionTooLongError as error:
            if not wish.repairs:
                raise
            self._spoilt.append(f"the question for its repair was too long: {error}")
            self._close(better=False)
            return None

    def _trial_of(self, idea: Idea) -> Trial | None:
        self.paid = _sum(self._asked, self._charged, -1)
        begun = time.monotonic()
        trial = self._around.judge(idea)
        if trial is not None and trial.known_since is None:
            self._judging_s += time.monotonic() - begun
            self._judged += 1
            self._charged = self._asked
        return trial

    def _idea_of(self, answer: Answer, winner: Trial | None) -> Idea:
        base = None if winner is None else winner.idea.patch.new_source
        tried = self._around.tried()
        return idea_of(answer, self._source, self._target.name, self._request.name, tried, base)


def _sum(one: Asked, other: Asked, sign: int = 1) -> Asked:
    return Asked(
        one.seconds + sign * other.seconds, one.tokens + sign * other.tokens, one.dollars + sign * other.dollars
    )
