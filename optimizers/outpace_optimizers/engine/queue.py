"""Which job is next: interactive work first, in the order it came; a background job that had to step aside comes first
among its kind."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from outpace_optimizers.engine.protocol import Caller, Job, Priority


@dataclass(eq=False, slots=True)
class Queued:
    """A job and whom it is for: `client` and `id` name the request that asked for it."""

    client: object
    id: int
    job: Job
    caller: Caller
    priority: Priority
    given_up: bool = False


@dataclass(slots=True)
class JobQueue:
    _interactive: deque[Queued] = field(default_factory=deque[Queued])
    _background: deque[Queued] = field(default_factory=deque[Queued])

    def __len__(self) -> int:
        return len(self._interactive) + len(self._background)

    @property
    def waiting(self) -> list[Queued]:
        return [*self._interactive, *self._background]

    @property
    def has_interactive(self) -> bool:
        return bool(self._interactive)

    def add(self, queued: Queued) -> None:
        self._line(queued).append(queued)

    def put_back(self, queued: Queued) -> None:
        self._line(queued).appendleft(queued)

    def next(self) -> Queued | None:
        for line in (self._interactive, self._background):
            if line:
                return line.popleft()
        return None

    def remove(self, client: object, id: int | None = None) -> list[Queued]:
        """Takes out one request of a client, or (without `id`) all of them."""
        gone = [q for q in self.waiting if q.client is client and id in (None, q.id)]
        for queued in gone:
            self._line(queued).remove(queued)
        return gone

    def _line(self, queued: Queued) -> deque[Queued]:
        return self._interactive if queued.priority == "interactive" else self._background
