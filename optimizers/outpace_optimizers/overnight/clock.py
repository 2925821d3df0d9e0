"""How much of a night's budget is spent: time at work, counted ahead so that a kill loses none of it."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from types import TracebackType

from outpace_audit.errors import EnvironmentMissing

TICK_S = 5.0


class Clock:
    """Runs from `with` on. `write` is given what is spent, and what will be by the next tick; while it waits for
    somebody (`waiting`) nothing is spent."""

    def __init__(
        self, spent_s: float, write: Callable[[float], None], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._spent = spent_s
        self._write = write
        self._now = now
        self._since = now()
        self._waiting = False
        self._alone = threading.Lock()
        self._ended = threading.Event()
        self._ticking = threading.Thread(target=self._tick, daemon=True)

    def __enter__(self) -> Clock:
        self._since = self._now()
        self._write(self._spent + TICK_S)
        self._ticking.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._ticking.join()
        with contextlib.suppress(EnvironmentMissing):
            self._write(self.spent_s)

    @property
    def spent_s(self) -> float:
        with self._alone:
            now = self._now()
            if not self._waiting:
                self._spent += now - self._since
            self._since = now
            return self._spent

    def wait(self, waiting: bool) -> None:
        if waiting != self._waiting:
            spent = self.spent_s
            with self._alone:
                self._waiting = waiting
            self._write(spent if waiting else spent + TICK_S)

    def _tick(self) -> None:
        while not self._ended.wait(TICK_S):
            spent = self.spent_s
            with contextlib.suppress(EnvironmentMissing):  # the run itself says so at its next event
                self._write(spent if self._waiting else spent + TICK_S)
