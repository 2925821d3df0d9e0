"""Whether anybody is at the window: one that was left open must not keep a GPU busy."""

from __future__ import annotations

import time
from collections.abc import Callable


class Attention:
    """`now` in seconds; any clock that does not go back."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self.last = now()
        """When somebody was there last, by that clock."""
        self.waiting: set[str] = set()
        """Files that changed on disk meanwhile."""

    def seen(self) -> set[str]:
        """Somebody opened, typed, saved or asked. Hands over what waited for that."""
        self.last = self._now()
        waiting, self.waiting = self.waiting, set()
        return waiting

    def idle(self, minutes: float) -> bool:
        return self._now() - self.last > 60 * minutes
