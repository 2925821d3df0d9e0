"""A client that waits: what the command line talks to the engine with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from types import TracebackType
from typing import Any

from outpace_audit.errors import EngineError
from outpace_optimizers.codec import event_from_json
from outpace_optimizers.engine.protocol import Caller, Job, Priority, decode, encode, error_from_json, job_to_json
from outpace_optimizers.engine.starting import connect
from outpace_optimizers.records import Listener
from outpace_optimizers.workspace import Workspace

ATTEMPTS = 3
"""An engine that was killed is started again and asked again: what it had finished is in the ledger."""


class EngineGoneError(EngineError):
    """The engine ended without an answer."""


class EngineClient:
    """One connection. Use as a context; leaving it gives up what was asked for."""

    def __init__(self, workspace: Workspace) -> None:
        self._connection = connect(workspace)
        self._lines = self._connection.makefile("rb")

    def __enter__(self) -> EngineClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lines.close()
        self._connection.close()

    def run(self, job: Job, listener: Listener, priority: Priority = "interactive") -> Mapping[str, Any]:
        """The job's Report or Trial as JSON. Raises what the job raised."""
        request = {"op": "run", "job": job_to_json(job), "caller": asdict(Caller.this_process())}
        return self._ask({**request, "priority": priority}, listener)

    def status(self) -> Mapping[str, Any]:
        return self._ask({"op": "status"}, lambda event: None)

    def _ask(self, request: Mapping[str, Any], listener: Listener) -> Any:
        try:
            self._connection.sendall(encode({"id": 1, **request}))
            while True:
                message = self._read()
                if "event" in message:
                    listener(event_from_json(message["event"]))
                elif "error" in message:
                    raise error_from_json(message["error"])
                else:
                    return message["ok"]
        except ConnectionError as error:
            raise EngineGoneError(f"the engine ended ({error}); run again, what it had finished is kept") from error

    def _read(self) -> dict[str, Any]:
        line = self._lines.readline()
        if not line:
            raise EngineGoneError("the engine ended without an answer; run again, what it had finished is kept")
        return decode(line)


def run_job(
    workspace: Workspace, job: Job, listener: Listener, priority: Priority = "interactive"
) -> Mapping[str, Any]:
    """Through the workspace's engine, started where there is none, and started again where it dies."""
    for attempt in range(ATTEMPTS):
        try:
            with EngineClient(workspace) as client:
                return client.run(job, listener, priority)
        except EngineGoneError:
            if attempt == ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")
