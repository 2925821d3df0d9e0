"""A night: targets take turns until each has nothing left to try, or the budget is spent.

1. Of the targets that are not done, the one with the fewest turns is next; among those, the one with most to gain.
2. Its turn may take a share of what is left: as large as its share of all that the waiting targets could gain, as far
   as that is known. What it does not use is for the others.
3. A target that stops by itself (no ideas, a plateau, near the floor, money) is done, and the reason is kept. One whose
   time was spent has another turn; so has one that failed, a few times: that may pass.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path

from outpace_audit.errors import EngineError, EnvironmentMissing, ModelError, OutpaceError, TargetError
from outpace_audit.records import content_id
from outpace_optimizers.overnight.clock import Clock
from outpace_optimizers.overnight.journal import FILE, Journal
from outpace_optimizers.overnight.records import Night, Place, Tried
from outpace_optimizers.records import (
    Event,
    Listener,
    OptimizeRequest,
    Report,
    StageEvent,
    TrialFinished,
    TrialStarted,
    Trouble,
    TurnTaken,
)

BUDGET_S = 8 * 3600.0
SHORTEST_TURN_S = 60.0
"""Below that little more than one idea is tried, and each turn begins with half a minute of probing."""
FAILURES = 3
"""In a row, until a target is given up."""
LOCK = "overnight.lock"
OUTSIDE = "it was ended from outside; the same command goes on with it"

Measure = Callable[[OptimizeRequest, Listener], Report]


@contextmanager
def only_one(state: Path) -> Generator[None]:
    """Raises EngineError where a night goes on already."""
    descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        with _explained(state):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def goes_on(state: Path) -> bool:
    """Whether a night is under way just now."""
    try:
        with only_one(state):
            return False
    except EngineError:
        return True


@contextmanager
def _explained(state: Path) -> Generator[None]:
    try:
        yield
    except BlockingIOError:
        raise EngineError(
            f"a night is under way in {state.parent}: `outpace progress` shows it, `outpace pause` lets it rest"
        ) from None


class Campaign:
    """`hear` is told each event, and of which target; `changed`, that there is more to show."""

    def __init__(
        self,
        journal: Journal,
        request: OptimizeRequest,
        places: Sequence[Place],
        folder: Path,
        measure: Measure,
        hear: Callable[[Place, Event], None],
        changed: Callable[[], None],
    ) -> None:
        self._journal = journal
        self._places = places
        self._measure = measure
        self._hear = hear
        self._changed = changed
        model = request.model.name if request.model else ""
        self.name, self.resumed = journal.begin(
            subject_of(request, folder), str(folder), model, request.budget_s, fresh=request.fresh
        )
        self._request = request
        if request.model is not None:
            self._request = replace(request, model=replace(request.model, account=self.name))
        self._clock = Clock(journal.spent_s(self.name), lambda spent: journal.spend(self.name, spent))
        self._failures: dict[str, int] = {}
        self._seen = {(target.place.label, dot.tried.verdict) for target in self.night.targets for dot in target.dots}
        self._machine_known = self.night.machine is not None

    @property
    def night(self) -> Night:
        found = self._journal.night(self.name)
        assert found is not None, "it was begun"
        return found

    def run(self) -> Night:
        """To its end, or until it is interrupted, which the journal then says."""
        with self._clock:
            try:
                stop = self._turns()
            except KeyboardInterrupt:
                self._end("stopped by you; the same command goes on with it", final=False)
                raise
            except BaseException as error:
                with contextlib.suppress(EnvironmentMissing):
                    self._end(f"{type(error).__name__}: {error}; the same command goes on with it", final=False)
                raise
        self._end(stop, final=True)
        return self.night

    def _end(self, stop: str, *, final: bool) -> None:
        self._journal.end(self.name, stop, final=final)
        self._changed()

    def _turns(self) -> str:
        while True:
            done = {target.place.label: target for target in self.night.targets}
            waiting = [one for one in self._places if one.label not in done or not done[one.label].done]
            left = self._request.budget_s - self._clock.spent_s
            if not waiting:
                return "nothing is left to try on any target"
            if left <= 0:
                return f"the time budget is spent, {len(waiting)} of {len(self._places)} targets are not done"
            turns = [done[one.label].turns if one.label in done else 0 for one in waiting]
            place = waiting[turns.index(min(turns))]
            self._turn(place, max(left * share_of(place, waiting), SHORTEST_TURN_S))

    def _turn(self, place: Place, seconds: float) -> None:
        self._add("turn", place, {"seconds": seconds})
        request = replace(self._request, path=place.path, target=place.name, budget_s=seconds, fresh=False)
        try:
            report = self._measure(request, lambda event: self._heard(place, event))
        except (OutpaceError, OSError) as error:
            for_good = isinstance(error, (TargetError, ModelError)) or self._failed(place)
            self._add("stop", place, {"reason": f"not measured: {error}", "done": for_good})
        else:
            for trial in report.trials:  # an engine that was started again may have told of fewer
                self._tried(place, TrialFinished(trial))
            if report.ending != "failed":
                self._failures.pop(place.label, None)
            done = report.ending == "done" or (report.ending == "failed" and self._failed(place))
            self._add("stop", place, {"reason": report.stop, "done": done})
        finally:
            self._clock.wait(False)
        self._changed()

    def _failed(self, place: Place) -> bool:
        """Once more; True if that was the last time."""
        self._failures[place.label] = self._failures.get(place.label, 0) + 1
        return self._failures[place.label] >= FAILURES

    def _heard(self, place: Place, event: Event) -> None:
        self._clock.wait(isinstance(event, StageEvent) and event.waiting)
        if isinstance(event, TrialFinished):
            self._tried(place, event)
        elif isinstance(event, TurnTaken):
            self._add("taken", place, asdict(event.turn))
        elif isinstance(event, Trouble):
            self._add("trouble", None, {"text": f"{place.label}: {event.text}"})
        elif isinstance(event, (StageEvent, TrialStarted)):
            text = event.text if isinstance(event, StageEvent) else event.title
            self._journal.doing(self.name, f"{place.label}: {text}")
        self._hear(place, event)
        self._changed()

    def _tried(self, place: Place, event: TrialFinished) -> None:
        trial = event.trial
        if (place.label, trial.verdict.id) in self._seen:
            return
        self._seen.add((place.label, trial.verdict.id))
        if not self._machine_known:
            self._machine_known = True
            self._add("machine", None, asdict(trial.verdict.machine))
        self._add("trial", place, asdict(Tried.of(trial)))

    def _add(self, kind: str, place: Place | None, body: dict[str, object]) -> None:
        self._journal.add(self.name, self._clock.spent_s, kind, place, body)


def share_of(place: Place, waiting: Sequence[Place]) -> float:
    """Of the time. Where no gain is known, a target counts as the mean of those that have one; without any, and where
    nothing is to be gained, all are equal."""
    known = [one.gain for one in waiting if one.gain is not None]
    mean = sum(known) / len(known) if known else 0.0
    gains = {one.label: mean if one.gain is None else one.gain for one in waiting}
    return gains[place.label] / sum(gains.values()) if mean > 0 else 1 / len(waiting)


def subject_of(request: OptimizeRequest, folder: Path) -> str:
    """What has to be asked again for a night to go on: the same folder and the same options, whatever its budgets."""
    model = request.model.name if request.model else ""
    asked = asdict(replace(request, path="", fresh=False, budget_s=0.0, model=None))
    return content_id(str(folder), model, asked)


def newest_night(state: Path) -> tuple[Night, bool] | None:
    """The newest one, and whether it is under way; one that was ended from outside says so."""
    if not (state / FILE).is_file():
        return None
    with Journal(state) as journal:
        night = journal.night()
    if night is None:
        return None
    running = goes_on(state)
    stop = night.stop or ("" if running else OUTSIDE)
    return replace(night, stop=stop), running
