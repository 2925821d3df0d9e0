"""What a trial takes, as its judge tells of it: seconds by level, and waiting apart."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from outpace_optimizers.records import Asked, Cost, Event, Listener, StageEvent

FIRST, TIMING = "L0", "L4"


class Stopwatch:
    """Runs from its making on. The time before a check belongs to the check's level, that before a pair of processes
    to the timing; the time after "waiting" to nobody, until something else is heard."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last = now()
        self._waits = False
        self._level = FIRST
        self._waited_s = 0.0
        self._stages: dict[str, float] = {}

    def hear(self, kind: str, payload: Any = None) -> None:
        """An event of an audit: see outpace_audit.auditing.Listener."""
        if kind == "check":
            self._level = str(payload["level"])
        elif kind == "pair":
            self._level = TIMING
        self._count()
        self._waits = kind == "waiting"

    def worked_s(self) -> float:
        """So far."""
        self._count()
        return sum(self._stages.values())

    def cost(self, asked: Asked) -> Cost:
        return Cost(self.worked_s(), self._waited_s, dict(self._stages), asked)

    def _count(self) -> None:
        now = self._now()
        if self._waits:
            self._waited_s += now - self._last
        else:
            self._stages[self._level] = self._stages.get(self._level, 0.0) + now - self._last
        self._last = now


class TimedListener:
    """Hears a run's events for somebody, and how long it is at work."""

    def __init__(self, listener: Listener, now: Callable[[], float] = time.monotonic) -> None:
        self.watch = Stopwatch(now)
        self._listener = listener

    def __call__(self, event: Event) -> None:
        waits = isinstance(event, StageEvent) and event.waiting
        self.watch.hear("waiting" if waits else "at work")
        self._listener(event)
