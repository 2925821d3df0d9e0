"""The model's part of a run: idea after idea, each audited, repaired at most twice, until a limit says stop."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from outpace_audit.errors import ModelError
from outpace_audit.records import Idea
from outpace_optimizers.model import consent
from outpace_optimizers.model.answers import idea_of
from outpace_optimizers.model.client import Answer, Messages, ModelProcess
from outpace_optimizers.model.conversation import Conversation, LimitReachedError, UnreachedError
from outpace_optimizers.model.editing import patch_of
from outpace_optimizers.model.lessons import Lessons
from outpace_optimizers.model.memory import Memory
from outpace_optimizers.model.prompt import Facts, failure_of, fix_message, messages_for
from outpace_optimizers.model.reply import ReplyError
from outpace_optimizers.model.spending import Spending
from outpace_optimizers.model.stopping import best_of, near_floor
from outpace_optimizers.records import Asked, ModelRequest, Spend, Target, Trial
from outpace_optimizers.source import Source, parse
from outpace_optimizers.workspace import Workspace

FIXES = 2
"""Of one idea."""
REPEATED_CHARACTERS = 40_000
"""Of an answer, in the question for its repair: no honest one is longer, and a long one would use up the tokens."""
REPAIRABLE = ("L0", "L1", "L2", "L3")
"""A failure of these levels can be repaired; being no faster is no mistake in the code."""


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a search does with the run that it belongs to."""

    tried: Callable[[], Sequence[Trial]]
    """All trials of the run so far, those of the rules among them."""
    judge: Callable[[Idea], Trial | None]
    """None where no verdict could be reached."""
    stopped: Callable[[], str]
    """Why the run is over, or nothing."""
    tell: Callable[[str], None]


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
        self._source: Source = parse(target.code.path, target.code.source)
        self._spoilt: list[str] = []
        """Why answers led to no trial."""
        self.unreached = False
        """It was given up because no answer came."""
        self.paid = Asked()
        """For the idea that is judged next: all replies since the last that was."""
        self._asking_s = self._judging_s = 0.0
        self._judged = 0
        self._begun = self._charged = self._paid_since(Asked())

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
        with ModelProcess() as process, Spending(workspace.state) as spending:
            memory = Memory(spending, Lessons(workspace.state), request, target, facts.machine, fresh=fresh)
            if memory.run.goes_on:
                around.tell("the last run was ended from outside; it goes on within the same limits")
            talk = Conversation(request, process, spending, around.tell, fresh=fresh, run=memory.run.name)
            yield cls(request, target, facts, talk, around, memory)

    def run(self) -> str:
        """Why it stopped."""
        turns = self.turns()
        while True:
            try:
                next(turns)
            except StopIteration as end:
                return end.value

    def turns(self) -> Generator[bool, None, str]:
        """True after each idea, judged or not; at last why it stopped. Others may try ideas in between."""
        stop = yield from self._searched()
        if self._memory is not None:
            self._memory.end(stop)
        return stop

    def _searched(self) -> Generator[bool, None, str]:
        dry = 0
        while not (stop := self._around.stopped()):
            self._learn()
            best = self._best()
            if floor := near_floor(self._facts, self._around.tried()):
                return floor
            try:
                self._one_idea(self._winner() if dry % 2 == 0 else None)
            except LimitReachedError as limit:
                return str(limit)
            except ModelError as error:
                self.unreached = isinstance(error, UnreachedError)
                return f"the model is not asked any more: {error}"
            self._learn()
            dry = 0 if self._best() > best else dry + 1
            if dry >= self._request.plateau:
                return f"plateau: {dry} ideas of the model in a row brought nothing better"
            yield True
        return stop

    @property
    def troubles(self) -> list[str]:
        spoilt = [f"{self._request.name}: an answer led to no trial: {reason}" for reason in self._spoilt]
        return [*spoilt, *([self._memory.trouble] if self._memory is not None and self._memory.trouble else [])]

    def spend(self) -> Spend:
        spent = self._talk.spend()
        return replace(spent, asking_s=self._asking_s, judging_s=self._judging_s, judged=self._judged)

    @property
    def asked(self) -> Asked:
        """All that was paid since it was opened."""
        return self._paid_since(self._begun)

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

    def _one_idea(self, winner: Trial | None) -> None:
        """Asked for, judged, and repaired where that can help. `winner`: what it is to build on."""
        learnt = self._memory.lines if self._memory is not None else ()
        messages = messages_for(
            self._target, self._source, self._facts, self._around.tried(), self._spoilt, learnt, winner
        )
        for attempt in range(1 + FIXES):
            first = "an idea" if winner is None else "an idea that builds on the best"
            what = first if attempt == 0 else f"a repair, {attempt} of {FIXES}"
            self._around.tell(f"asking {self._request.name} for {what}")
            answer = self._asked(messages)
            try:
                idea = self._idea_of(answer, winner)
            except ReplyError as error:
                self._talk.unusable += 1
                self._spoilt.append(str(error))
                failure, level = str(error), None
            else:
                trial = self._trial_of(idea)
                if trial is None:
                    self._spoilt.append(f"{idea.title} could not be judged on this machine")
                    return
                if trial.verdict.accepted:
                    return
                failed = trial.verdict.failed
                if failed is None or failed.level not in REPAIRABLE:
                    return
                failure, level = failure_of(trial.verdict), failed.level
            if self._around.stopped():
                return
            said = {"role": "assistant", "content": answer.text[:REPEATED_CHARACTERS]}
            messages = [*messages[:2], said, fix_message(failure, level, of_winner=winner is not None)]

    def _asked(self, messages: Messages) -> Answer:
        begun = time.monotonic()
        try:
            return self._talk.ask(messages)
        finally:
            self._asking_s += time.monotonic() - begun

    def _trial_of(self, idea: Idea) -> Trial | None:
        self.paid = self._paid_since(self._charged)
        begun = time.monotonic()
        trial = self._around.judge(idea)
        if trial is not None and trial.known_since is None:
            self._judging_s += time.monotonic() - begun
            self._judged += 1
            self._charged = self._paid_since(Asked())
        return trial

    def _paid_since(self, before: Asked) -> Asked:
        spent = self._talk.spend()
        return Asked(
            self._asking_s - before.seconds,
            spent.tokens - before.tokens,
            (spent.dollars or 0.0) - before.dollars,
        )

    def _idea_of(self, answer: Answer, winner: Trial | None) -> Idea:
        base = None if winner is None else winner.idea.patch.new_source
        tried = self._around.tried()
        return idea_of(answer, self._source, self._target.name, self._request.name, tried, base)


def require_shown(path: Path, workspace: Workspace, patterns: Sequence[str]) -> None:
    """Raises ModelError where the file is not among those that may be shown."""
    try:
        inner = PurePosixPath(path.resolve().relative_to(workspace.root.resolve()))
    except ValueError:
        raise ModelError(f"{path} is outside of {workspace.root}, so it is not shown to a model") from None
    if any(part.startswith(".") for part in inner.parts) or not any(_matches(inner, one) for one in patterns):
        raise ModelError(
            f"{inner} is not shown to a model: it matches none of {', '.join(patterns)}; "
            "see model-paths in docs/model.md"
        )


def _matches(path: PurePosixPath, pattern: str) -> bool:
    """`**/` stands for any folders, none too; `**` at the end for all that is below."""
    pattern = f"{pattern}/*" if pattern.endswith("**") else pattern
    if pattern.startswith("**/") and _matches(path, pattern[3:]):
        return True
    if "**" in pattern:
        head, _, tail = pattern.partition("**/")
        below = path.parts[len(PurePosixPath(head).parts) :]
        inside = path.parts[: len(PurePosixPath(head).parts)] == PurePosixPath(head).parts
        return inside and any(_matches(PurePosixPath(*below[i:]), tail) for i in range(len(below)))
    return len(path.parts) == len(PurePosixPath(pattern).parts) and path.match(pattern)
