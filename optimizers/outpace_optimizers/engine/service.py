"""The engine of one workspace: takes jobs from its clients, runs one at a time in a worker, and answers what is known.

It ends by itself when no client is left. Killed at any instant it loses the trial in flight: a finished one is in the
ledger, and a client that asks again gets it from there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from outpace_audit.errors import Cancelled, EngineError, OutpaceError
from outpace_optimizers.codec import event_to_json
from outpace_optimizers.engine.address import LOG
from outpace_optimizers.engine.pausing import PAUSED, is_paused
from outpace_optimizers.engine.protocol import (
    LINE_LIMIT,
    PROTOCOL,
    URGENCY,
    Caller,
    decode,
    encode,
    error_to_json,
    job_from_json,
)
from outpace_optimizers.engine.queue import JobQueue, Queued
from outpace_optimizers.engine.worker_process import WorkerProcess
from outpace_optimizers.ledger import Ledger
from outpace_optimizers.records import StageEvent
from outpace_optimizers.stored_trial import offers_for
from outpace_optimizers.workspace import Workspace

ALONE_S = 2.0
"""After the last client has left: the next command of a script finds the engine still there."""
WORKER_IDLE_S = 60.0
"""A warm judge holds memory, on a GPU also there; starting one again takes seconds."""


@dataclass(eq=False, slots=True)
class _Client:
    writer: asyncio.StreamWriter
    ids: set[int] = field(default_factory=set[int])

    def send(self, message: Mapping[str, Any]) -> None:
        if not self.writer.is_closing():
            self.writer.write(encode(message))


class EngineService:
    def __init__(self, state: Path) -> None:
        self._state = state
        self._clients: set[_Client] = set()
        self._queue = JobQueue()
        self._running: Queued | None = None
        self._worker: WorkerProcess | None = None
        self._wanted = asyncio.Event()
        self._left = asyncio.Event()

    async def serve(self, socket: Path, ready: Callable[[], None]) -> None:
        """Calls `ready` once it listens; returns when no client has been there for ALONE_S."""
        server = await asyncio.start_unix_server(self._talk, socket, limit=LINE_LIMIT)
        ready()
        runner = asyncio.create_task(self._run_jobs())
        try:
            async with server:
                await self._until_alone(runner)
        finally:
            runner.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await runner
            await self._end_worker()

    async def _until_alone(self, runner: asyncio.Task[None]) -> None:
        while not runner.done():
            self._left.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._left.wait(), ALONE_S)
                continue
            if not self._clients:
                return
        await runner  # raises what ended it

    # --- one client ---------------------------------------------------------------------------------------------

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(writer)
        self._clients.add(client)
        client.send({"hello": {"protocol": PROTOCOL, "pid": os.getpid()}})
        try:
            while line := await reader.readline():
                await self._hear(client, line)
                await writer.drain()
        except (ConnectionError, ValueError):
            pass  # it died, or talks nonsense: hang up
        finally:
            self._clients.discard(client)
            await self._give_up(client, None)
            self._left.set()
            writer.close()

    async def _hear(self, client: _Client, line: bytes) -> None:
        message = decode(line)
        id = int(message.get("id", 0))
        try:
            await self._obey(client, id, message)
        except OutpaceError as error:
            client.send({"id": id, "error": error_to_json(error)})
        except (KeyError, TypeError, ValueError) as error:
            wrong = EngineError(f"the engine does not understand this request ({type(error).__name__}: {error})")
            client.send({"id": id, "error": error_to_json(wrong)})

    async def _obey(self, client: _Client, id: int, message: Mapping[str, Any]) -> None:
        match message["op"]:
            case "run":
                caller = Caller(**message["caller"])
                await self._enqueue(Queued(client, id, job_from_json(message["job"]), caller, message["priority"]))
            case "cancel":
                await self._give_up(client, id)
            case "status":
                client.send({"id": id, "ok": self._status()})
            case "hold":
                await self._hold()
                client.send({"id": id, "ok": True})
            case "offers":
                with Ledger(self._state, repair=False) as ledger:  # a job repairs it, and its report says so
                    known = offers_for(ledger, Workspace.of(Path(message["path"])), message["path"], message["text"])
                client.send({"id": id, "ok": [asdict(trial) for trial in known]})
            case other:
                raise ValueError(f"no request is called {other!r}")

    async def _hold(self) -> None:
        """Background work was paused, or goes on."""
        if not is_paused(self._state):
            self._wanted.set()
            return
        for queued in self._queue.waiting:
            self._tell_paused(queued)
        if self._running is not None and self._running.priority == "background" and self._worker:
            await self._worker.step_aside()

    def _tell_paused(self, queued: Queued) -> None:
        if queued.priority == "background" and is_paused(self._state):
            self._tell(queued, event_to_json(StageEvent(PAUSED, waiting=True)))

    async def _enqueue(self, queued: Queued) -> None:
        self._queue.add(queued)
        self._wanted.set()
        self._tell_paused(queued)
        running = self._running
        if running is None:
            return
        said = StageEvent(f"waiting for the engine: {running.job.title} is running", waiting=True)
        self._tell(queued, event_to_json(said))
        if URGENCY[queued.priority] < URGENCY[running.priority] and self._worker:
            await self._worker.step_aside()

    async def _give_up(self, client: _Client, id: int | None) -> None:
        for queued in self._queue.remove(client, id):
            self._answer(queued, {"error": error_to_json(Cancelled("cancelled before it began"))})
        running = self._running
        if running is not None and running.client is client and id in (None, running.id):
            running.given_up = True
            await self._end_worker()

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "running": self._running.job.title if self._running else None,
            "waiting": [queued.job.title for queued in self._queue.waiting],
        }

    # --- the queue ----------------------------------------------------------------------------------------------

    async def _run_jobs(self) -> None:
        while True:
            queued = self._queue.next(background=not is_paused(self._state))
            if queued is None:
                await self._wait_for_work()
                continue
            self._running = queued
            try:
                outcome = await self._run(queued)
            finally:
                self._running = None
            if "stepped_aside" in outcome:
                queued.job = queued.job.after(outcome["spent_s"])
                self._queue.put_back(queued)
                self._tell_paused(queued)
            else:
                self._answer(queued, outcome)

    async def _wait_for_work(self) -> None:
        self._wanted.clear()
        try:
            await asyncio.wait_for(self._wanted.wait(), WORKER_IDLE_S if self._worker else None)
        except TimeoutError:
            await self._end_worker()

    async def _run(self, queued: Queued) -> Mapping[str, Any]:
        worker = self._worker
        if worker is None or not worker.alive or worker.caller != queued.caller:
            await self._end_worker()
            try:
                worker = await WorkerProcess.start(queued.caller, self._state / LOG)
            except OSError as error:
                return {"error": error_to_json(error)}
            self._worker = worker
            if self._has_to_wait(queued):  # what came meanwhile found no worker that it could ask to step aside
                return {"stepped_aside": True, "spent_s": 0.0}
        outcome: Mapping[str, Any] = {}
        if not queued.given_up:
            outcome = await worker.run(queued.job, queued.priority, lambda event: self._tell(queued, event))
        return {"error": error_to_json(Cancelled("cancelled"))} if queued.given_up else outcome

    def _has_to_wait(self, queued: Queued) -> bool:
        if queued.given_up:
            return False
        paused = queued.priority == "background" and is_paused(self._state)
        return paused or any(URGENCY[one.priority] < URGENCY[queued.priority] for one in self._queue.waiting)

    async def _end_worker(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.kill()

    def _tell(self, queued: Queued, event: Mapping[str, Any]) -> None:
        client = queued.client
        assert isinstance(client, _Client), "clients of this service"
        client.send({"id": queued.id, "event": event})

    def _answer(self, queued: Queued, outcome: Mapping[str, Any]) -> None:
        client = queued.client
        assert isinstance(client, _Client), "clients of this service"
        client.send({"id": queued.id, **outcome})
