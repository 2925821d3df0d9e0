"""What trials have taught: `.outpace/lessons.json`, each lesson with the verdicts that it rests on.

A lesson says what came of one approach. It is scoped by the kind of target, what the target calls, and the machine; a
trial of like scope that contradicts it drops it, and both begin again with what comes later.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

from outpace_audit.codec import decode
from outpace_audit.records import Verdict
from outpace_optimizers.workspace import write_atomically

FILE = "lessons.json"
KEPT = 200
"""Lessons, and as many that were dropped: the oldest go."""
SHOWN = 8
"""In one question, the newest."""
LIKE = 0.5
"""Of all that two targets call, the share that both call, for the one to be like the other."""
FAILURES = 2
"""Trials that fail one check, or the screen, before it counts as the approach's doing: one may be a slip of the pen."""
MISSED = 1.05
"""A gain of less may have been missed: an approach is no faster where the interval rules out more."""

Outcome = Literal["faster", "no faster", "wrong"]


@dataclass(frozen=True, slots=True)
class Scope:
    """`kind`: function or module. `calls`: sorted names. `machine`: its name, with the versions of torch and Triton."""

    kind: str
    calls: tuple[str, ...]
    machine: str

    def is_like(self, other: Scope) -> bool:
        mine, theirs = {*self.calls}, {*other.calls}
        same = (self.kind, self.machine) == (other.kind, other.machine)
        return same and len(mine & theirs) >= LIKE * len(mine | theirs)


@dataclass(frozen=True, slots=True)
class Lesson:
    """`detail`: the newest gain with its interval, or the check that failed. `verdicts`: ids of what it rests on."""

    approach: str
    outcome: Outcome
    detail: str
    scope: Scope
    verdicts: tuple[str, ...]

    @property
    def holds(self) -> bool:
        return self.outcome == "faster" or self.detail.startswith("at most") or len(self.verdicts) >= FAILURES

    @property
    def line(self) -> str:
        count = len(self.verdicts)
        return f"{self.approach}: {self.outcome}, {self.detail} ({count} trial{'s' * (count > 1)})"


@dataclass(frozen=True, slots=True)
class Dropped:
    """`contradicted_by`: id of the verdict."""

    lesson: Lesson
    contradicted_by: str


@dataclass(frozen=True, slots=True)
class _Kept:
    lessons: tuple[Lesson, ...] = ()
    dropped: tuple[Dropped, ...] = ()


class Lessons:
    """Those of one project. A file that cannot be read is moved aside, and `trouble` says so."""

    def __init__(self, state: Path) -> None:
        self._path = state / FILE
        self.trouble = ""
        self._kept = self._read()

    @property
    def all(self) -> Sequence[Lesson]:
        return self._kept.lessons

    @property
    def dropped(self) -> Sequence[Dropped]:
        return self._kept.dropped

    def lines_for(self, scope: Scope) -> list[str]:
        """What holds for code of this scope, the newest first."""
        return [one.line for one in reversed(self.all) if one.holds and one.scope.is_like(scope)][:SHOWN]

    def learn(self, approach: str, verdict: Verdict, scope: Scope) -> None:
        """Nothing from a verdict that was learnt from before, or that says nothing of the approach."""
        found = _outcome(verdict)
        if not approach or found is None or verdict.id in self._seen():
            return
        outcome, detail = found
        same = [one for one in self.all if one.approach == approach and one.scope.is_like(scope)]
        against = [one for one in same if _contradict(outcome, one.outcome)]
        agreeing = [one for one in same if one.outcome == outcome and (outcome != "wrong" or one.detail == detail)][:1]
        lessons = [one for one in self.all if one not in against and one not in agreeing]
        if not against:
            before = agreeing[0].verdicts if agreeing else ()
            lessons.append(Lesson(approach, outcome, detail, scope, (*before, verdict.id)))
        dropped = (*self.dropped, *(Dropped(one, verdict.id) for one in against))
        self._kept = _Kept(tuple(lessons[-KEPT:]), dropped[-KEPT:])
        self._write()

    def _seen(self) -> set[str]:
        told = [one.verdicts for one in self.all]
        told += [(*one.lesson.verdicts, one.contradicted_by) for one in self.dropped]
        return {verdict for verdicts in told for verdict in verdicts}

    def _read(self) -> _Kept:
        try:
            return decode(_Kept, json.loads(self._path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return _Kept()
        except (ValueError, RecursionError) as error:
            aside = self._path.with_name(f"{FILE}.broken-{time.strftime('%Y%m%d-%H%M%S')}")
            self._path.rename(aside)
            self.trouble = f"{self._path} was broken ({error}); moved to {aside.name}"
        except OSError as error:
            self.trouble = f"{self._path}: {error.strerror}: what was learnt is not shown"
        return _Kept()

    def _write(self) -> None:
        try:
            write_atomically(self._path, json.dumps(asdict(self._kept), indent=1) + "\n")
        except OSError as error:
            self.trouble = f"{self._path}: {error.strerror}: what was learnt is not kept"


def _outcome(verdict: Verdict) -> tuple[Outcome, str] | None:
    """None for a trial that died or ran out of time, whose interval is wide or whose clocks differ: that may be the
    machine's doing."""
    if verdict.accepted:
        interval = verdict.interval
        return (
            None if interval is None else ("faster", f"{verdict.speedup:.2f}x [{interval[0]:.2f}, {interval[1]:.2f}]")
        )
    failed = verdict.failed
    if failed is None or failed.numbers.get("kind") in ("died", "timeout"):
        return None
    if failed.name == "screen":
        return "no faster", "in a first pair of processes"
    if failed.name == "speedup":
        most = max((timing.interval[1] for timing in verdict.timings), default=math.inf)
        return ("no faster", f"at most {most:.2f}x") if most < MISSED else None
    if failed.name == "clock-agreement":
        return None
    return "wrong", f"it failed {failed.level} {failed.name}"


def _contradict(new: Outcome, old: Outcome) -> bool:
    """What was timed was right before; a faster approach can be written wrongly all the same."""
    return new != "wrong" and new != old
