"""What rules propose: edits that are made at once, and those that compile, of which each takes ten times as long."""

from __future__ import annotations

from collections.abc import Generator, Sequence

from outpace_audit.errors import JudgeError, OutOfResources
from outpace_audit.records import Idea
from outpace_optimizers import compiling
from outpace_optimizers.proposers.bench import Bench
from outpace_optimizers.records import StageEvent


class RuleIdeas:
    """The one after the other. `first` and `total` number them among all ideas of rules."""

    def __init__(self, name: str, bench: Bench, ideas: Sequence[Idea], total: int, first: int = 1) -> None:
        self.name = name
        self._bench = bench
        self._left = list(ideas)
        self._total = total
        self._number = first

    @property
    def ready(self) -> bool:
        return bool(self._left) and not self._bench.failure

    def turn(self) -> None:
        idea = self._left.pop(0)
        if self._bench.closed_to(idea):
            self._bench.leave()
        else:
            self._bench.judge(idea, self._number, self._total)
        self._number += 1


class Compiling:
    """Edits with torch.compile in them (`slow`), then ways to compile the target, of which one is wanted: what the
    ledger knows, else the best in a first look, whose time is the turn's."""

    name = "compiling"

    def __init__(self, bench: Bench, slow: Sequence[Idea], ways: Sequence[Idea], total: int) -> None:
        self._bench = bench
        self._total = total
        self._turns = self._all(slow, ways)
        self.ready = bool(slow or ways)

    def turn(self) -> None:
        self.ready = next(self._turns, False) and not self._bench.failure

    def _all(self, slow: Sequence[Idea], ways: Sequence[Idea]) -> Generator[bool]:
        """True after each trial."""
        yield from self._each(slow, self._total - len(ways) - len(slow))
        first = self._total - len(ways)
        known = [idea for idea in ways if self._bench.session.knows(idea)]
        if (yield from self._until_one_wins(known, first)):
            return
        rest = [idea for idea in ways if idea not in known]
        found = self._looked_at(rest) if len(rest) > 1 and not self._bench.over else None
        if self._bench.failure:
            return
        if found is None:
            yield from self._each(rest, self._total - len(rest))
            return
        self._bench.notes += found.notes
        won = yield from self._until_one_wins(found.plain, self._total - len(rest))
        if won and self._bench.over:
            self._bench.leave(len(found.searched))
            return
        yield from self._until_one_wins(found.searched, self._total - len(found.searched))

    def _each(self, ideas: Sequence[Idea], before: int) -> Generator[bool]:
        for number, idea in enumerate(ideas, before + 1):
            if self._bench.closed_to(idea):
                self._bench.leave()
            else:
                self._bench.judge(idea, number, self._total)
                yield True

    def _until_one_wins(self, wanted: Sequence[Idea], before: int) -> Generator[bool, None, bool]:
        for number, idea in enumerate(wanted, before + 1):
            trial = self._bench.judge(idea, number, self._total)
            yield True
            if trial is not None and trial.verdict.accepted:
                return True
        return False

    def _looked_at(self, ways: Sequence[Idea]) -> compiling.Ways | None:
        """None where no look can be had: each then has to be audited."""
        bench = self._bench
        bench.tell(StageEvent(f"a first look at {len(ways)} ways to compile"))
        closely = compiling.look_limit(bench.left_s)
        try:
            looks = bench.session.quick_looks([idea.patch for idea in ways], closely)
        except OutOfResources as error:
            bench.notes.append(f"ways to compile: no first look: {error}")
            return None
        except JudgeError as error:
            bench.failure = f"the judge failed at a first look at ways to compile: {error}"
            return None
        return compiling.ordered(ways, looks)
