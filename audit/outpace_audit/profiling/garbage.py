"""How long Python's garbage collector stops the script."""

from __future__ import annotations

import contextlib
import gc
import time


class GarbageClock:
    """Listens while it is on. Only notes times: a collection may begin anywhere, in any thread."""

    def __init__(self) -> None:
        self.pauses: list[tuple[int, float]] = []
        """Of each collection its generation, and its seconds."""
        self._began = 0.0

    def resume(self) -> None:
        self._began = 0.0
        gc.callbacks.append(self._collecting)

    def pause(self) -> None:
        with contextlib.suppress(ValueError):
            gc.callbacks.remove(self._collecting)

    def _collecting(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._began = time.perf_counter()
        elif self._began:
            self.pauses.append((info["generation"], time.perf_counter() - self._began))
