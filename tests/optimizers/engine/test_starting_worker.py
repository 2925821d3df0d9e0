"""What comes while a worker starts is no later than what comes while it works."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.engine import pausing, service
from outpace_optimizers.engine.protocol import Caller, Job, Priority
from outpace_optimizers.engine.queue import Queued

HERE = Caller("/")


class Gone:
    """The writer of a client that has left."""

    def is_closing(self) -> bool:
        return True


class Started:
    """A worker that is at once done with everything."""

    caller, alive = HERE, True

    def __init__(self, ran: list[str | None]) -> None:
        self._ran = ran

    async def run(self, job: Job, priority: Priority, on_event: Callable[[Any], None]) -> Mapping[str, Any]:
        self._ran.append(job.verdict)
        return {"ok": {}}

    async def kill(self) -> None:
        pass


def queued(name: str, priority: Priority) -> Queued:
    writer: Any = Gone()
    return Queued(service._Client(writer), 1, Job("replay", verdict=name), HERE, priority)


async def ran(
    engine: service.EngineService, monkeypatch: pytest.MonkeyPatch, meanwhile: Callable[[], Any]
) -> list[str | None]:
    """The jobs in their order, until none is left that may run; `meanwhile` happens as the first worker starts."""
    done: list[str | None] = []

    async def start(caller: Caller, log: Path) -> Started:
        await meanwhile()
        return Started(done)

    monkeypatch.setattr(service.WorkerProcess, "start", start)
    await engine._enqueue(queued("first", "background"))
    working = asyncio.create_task(engine._run_jobs())
    for _ in range(50):
        await asyncio.sleep(0)
    working.cancel()
    return done


@pytest.mark.asyncio
async def test_what_is_more_urgent_is_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = service.EngineService(tmp_path)

    async def meanwhile() -> None:
        await engine._enqueue(queued("urgent", "interactive"))

    assert await ran(engine, monkeypatch, meanwhile) == ["urgent", "first"]


@pytest.mark.asyncio
async def test_what_was_paused_rests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = service.EngineService(tmp_path)

    async def meanwhile() -> None:
        (tmp_path / pausing.FILE).touch()
        await engine._hold()

    assert await ran(engine, monkeypatch, meanwhile) == []
