"""Ranks of one run end after the same step: a rank that has gone would leave the others in a collective call."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable
from pathlib import Path

WAITING = ".waiting"
CLOSING = "closing"
GO = "go"
STAY = "stay"
ARRIVAL_S = 5.0
"""For ranks to come to the same step: they wait for each other in each, and the profiled one is the slowest."""
WRITING_S = 300.0
"""For the profiled rank to write its trace."""
POLL_S = 0.02


class Ranks:
    """Through files in the folder of the run: the ranks' own ways to talk are the script's."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def closing(self) -> None:
        """The profiled rank is at the end of the window."""
        (self._folder / CLOSING).touch()

    def all_wait(self, world_size: int) -> bool:
        """Whether all others are at the end of the window too; those of other machines are not seen."""
        if world_size == 1:
            return True
        here = int(os.environ.get("LOCAL_WORLD_SIZE", world_size))
        return here == world_size and _comes(ARRIVAL_S, lambda: self._waiting() >= world_size - 1)

    def end(self, *, together: bool) -> None:
        (self._folder / (GO if together else STAY)).touch()

    def wait(self) -> bool:
        """Of another rank, at the end of the window: whether all end here."""
        own = self._folder / f"{os.getpid()}{WAITING}"
        own.touch()
        if _comes(ARRIVAL_S, (self._folder / CLOSING).exists) and _comes(WRITING_S, self._decided):
            return (self._folder / GO).exists()
        with contextlib.suppress(OSError):
            own.unlink()
        return False

    def _waiting(self) -> int:
        return sum(1 for _ in self._folder.glob(f"*{WAITING}"))

    def _decided(self) -> bool:
        return (self._folder / GO).exists() or (self._folder / STAY).exists()


def _comes(within_s: float, seen: Callable[[], bool]) -> bool:
    until = time.monotonic() + within_s
    while not seen():
        if time.monotonic() >= until:
            return False
        time.sleep(POLL_S)
    return True
