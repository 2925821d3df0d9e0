"""A connection to the engine of a workspace that does not wait: any number of questions at a time."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from outpace_audit import codec
from outpace_audit.errors import EngineError
from outpace_optimizers.codec import event_from_json
from outpace_optimizers.engine.client import ATTEMPTS, EngineGoneError
from outpace_optimizers.engine.protocol import (
    LINE_LIMIT,
    Caller,
    Job,
    Priority,
    decode,
    encode,
    error_from_json,
    job_to_json,
)
from outpace_optimizers.engine.starting import connect
from outpace_optimizers.records import Listener, Trial
from outpace_optimizers.workspace import Workspace

Answer = TypeVar("Answer")


@dataclass(slots=True)
class _Question:
    answer: asyncio.Future[Any]
    listener: Listener


def _ignore(event: object) -> None:
    pass


class EngineLink:
    """A question that is cancelled is cancelled in the engine too."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._questions: dict[int, _Question] = {}
        self._last_id = 0
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def open(cls, workspace: Workspace) -> EngineLink:
        """Starts the engine where there is none."""
        connection = await asyncio.to_thread(connect, workspace)
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LINE_LIMIT)
        return cls(reader, writer)

    @property
    def alive(self) -> bool:
        return not self._reading.done()

    async def run(self, job: Job, priority: Priority, listener: Listener) -> Mapping[str, Any]:
        """Report or Trial as JSON. Raises what the job raised, and EngineGoneError where the engine died."""
        caller = asdict(Caller.this_process())
        return await self._ask({"op": "run", "job": job_to_json(job), "caller": caller, "priority": priority}, listener)

    async def offers(self, path: str, text: str) -> list[Trial]:
        known = await self._ask({"op": "offers", "path": path, "text": text}, _ignore)
        return [codec.decode(Trial, trial) for trial in known]

    def close(self) -> None:
        """The engine gives up what this link had asked for."""
        self._reading.cancel()
        self._writer.close()

    async def _ask(self, message: Mapping[str, Any], listener: Listener) -> Any:
        self._last_id += 1
        id, question = self._last_id, _Question(asyncio.get_running_loop().create_future(), listener)
        self._questions[id] = question
        try:
            if not self.alive:
                raise EngineGoneError("the engine ended")
            self._writer.write(encode({"id": id, **message}))
            return await question.answer
        except asyncio.CancelledError:
            with contextlib.suppress(ConnectionError, RuntimeError):
                self._writer.write(encode({"id": id, "op": "cancel"}))
            raise
        finally:
            del self._questions[id]

    async def _read(self) -> None:
        try:
            while line := await self._reader.readline():
                self._hear(decode(line))
        except (ConnectionError, ValueError) as error:
            self._fail(EngineError(f"the engine talks nonsense ({error})"))
        finally:
            self._fail(EngineGoneError("the engine ended; what it had finished is kept"))
            self._writer.close()

    def _hear(self, message: Mapping[str, Any]) -> None:
        question = self._questions.get(message.get("id", 0))
        if question is None or question.answer.done():
            return
        if "event" in message:
            question.listener(event_from_json(message["event"]))
        elif "error" in message:
            question.answer.set_exception(error_from_json(message["error"]))
        else:
            question.answer.set_result(message["ok"])

    def _fail(self, error: Exception) -> None:
        for question in self._questions.values():
            if not question.answer.done():
                question.answer.set_exception(error)


class EngineLinks:
    """One link per workspace, opened when it is first wanted and again after its engine has died."""

    def __init__(self) -> None:
        self._links: dict[str, EngineLink] = {}
        self._opening: dict[str, asyncio.Lock] = {}

    async def run(self, workspace: Workspace, job: Job, priority: Priority, listener: Listener) -> Mapping[str, Any]:
        """Report or Trial as JSON."""
        return await self._asked(workspace, lambda link: link.run(job, priority, listener))

    async def offers(self, workspace: Workspace, path: str, text: str) -> list[Trial]:
        return await self._asked(workspace, lambda link: link.offers(path, text))

    async def _asked(self, workspace: Workspace, ask: Callable[[EngineLink], Coroutine[Any, Any, Answer]]) -> Answer:
        """An engine that was killed, or was about to end, is started and asked again."""
        for attempt in range(ATTEMPTS):
            try:
                return await ask(await self._of(workspace))
            except EngineGoneError:
                if attempt == ATTEMPTS - 1:
                    raise
        raise AssertionError("the last attempt returns or raises")

    async def _of(self, workspace: Workspace) -> EngineLink:
        name = str(workspace.state)
        async with self._opening.setdefault(name, asyncio.Lock()):
            link = self._links.get(name)
            if link is None or not link.alive:
                link = self._links[name] = await EngineLink.open(workspace)
            return link

    def leave(self, folder: Path) -> None:
        """Hangs up on the engines of the projects in it."""
        for name in [name for name in self._links if Path(name).is_relative_to(folder)]:
            self._links.pop(name).close()

    def close(self) -> None:
        for link in self._links.values():
            link.close()
        self._links.clear()
