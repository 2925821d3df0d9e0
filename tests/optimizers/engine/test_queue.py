"""Whose turn it is."""

from __future__ import annotations

from outpace_optimizers.engine.protocol import Caller, Job, Priority
from outpace_optimizers.engine.queue import JobQueue, Queued

CLIENT, OTHER = object(), object()


def queued(id: int, priority: Priority = "interactive", client: object = CLIENT) -> Queued:
    return Queued(client, id, Job("replay", verdict=str(id)), Caller("/"), priority)


def drained(queue: JobQueue) -> list[int]:
    found: list[int] = []
    while (one := queue.next()) is not None:
        found.append(one.id)
    return found


def filled(*jobs: Queued) -> JobQueue:
    queue = JobQueue()
    for job in jobs:
        queue.add(job)
    return queue


def test_the_most_urgent_work_comes_first_and_each_kind_in_its_order() -> None:
    queue = filled(queued(1, "background"), queued(2), queued(3, "background"), queued(5, "saved"), queued(4))
    assert [one.id for one in queue.waiting] == [2, 4, 5, 1, 3]
    assert drained(queue) == [2, 4, 5, 1, 3]


def test_what_stepped_aside_is_first_of_its_kind() -> None:
    queue = filled(queued(1, "background"), queued(2))
    queue.put_back(queued(3, "background"))
    assert drained(queue) == [2, 3, 1]


def test_a_client_takes_out_its_own_work_alone() -> None:
    queue = filled(queued(1), queued(1, client=OTHER), queued(2))
    assert [one.id for one in queue.remove(CLIENT, 1)] == [1]
    assert len(queue) == 2
    assert [one.id for one in queue.remove(CLIENT)] == [2]
    assert drained(queue) == [1]
    assert queue.remove(CLIENT) == []
