"""Which job is next: the most urgent kind first, in the order it came; a job that had to step aside comes first among
its kind."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from outpace_optimizers.engine.protocol import URGENCY, Caller, Job, Priority


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
    _lines: dict[Priority, deque[Queued]] = field(default_factory=lambda: {kind: deque() for kind in URGENCY})

    def __len__(self) -> int:
        return sum(map(len, self._lines.values()))

    @property
    def waiting(self) -> list[Queued]:
        return [queued for line in self._lines.values() for queued in line]

    def add(self, queued: Queued) -> None:
        self._lines[queued.priority].append(queued)

    def put_back(self, queued: Queued) -> None:
        self._lines[queued.priority].appendleft(queued)

    def next(self, *, background: bool = True) -> Queued | None:
        """Without `background`, what is not urgent stays where it is."""
        lines = (line for kind, line in self._lines.items() if background or kind != "background")
        return next((line.popleft() for line in lines if line), None)

    def remove(self, client: object, id: int | None = None) -> list[Queued]:
        """Takes out one request of a client, or (without `id`) all of them."""
        gone = [q for q in self.waiting if q.client is client and id in (None, q.id)]
        for queued in gone:
            self._lines[queued.priority].remove(queued)
        return gone
