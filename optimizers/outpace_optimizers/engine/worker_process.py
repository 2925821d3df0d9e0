"""The engine's end of its worker: starts it, feeds it one job, ends it whole."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from outpace_audit.errors import EngineError
from outpace_optimizers.engine.protocol import (
    LINE_LIMIT,
    Caller,
    Job,
    Priority,
    decode,
    encode,
    error_to_json,
    job_to_json,
)


class WorkerProcess:
    """One worker for one caller's folder and environment; kept from job to job, its judge with it."""

    def __init__(self, process: asyncio.subprocess.Process, caller: Caller, log: Path) -> None:
        self._process = process
        self.caller = caller
        self._log = log
        self._log_start = log.stat().st_size

    @classmethod
    async def start(cls, caller: Caller, log: Path) -> WorkerProcess:
        with log.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-P", "-m", "outpace_optimizers.engine.worker",
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=errors,
                cwd=caller.cwd, env=dict(caller.environ), start_new_session=True, limit=LINE_LIMIT,
            )  # fmt: skip
        return cls(process, caller, log)

    @property
    def alive(self) -> bool:
        return self._process.returncode is None

    async def run(self, job: Job, priority: Priority, on_event: Callable[[Mapping[str, Any]], None]) -> dict[str, Any]:
        """The worker's last word on the job: `ok`, `error` or `stepped_aside`."""
        assert self._process.stdout is not None, "opened with a pipe"
        with contextlib.suppress(ConnectionError):
            await self._send({"job": job_to_json(job), "priority": priority})
        while line := await self._process.stdout.readline():
            message = decode(line)
            if "event" not in message:
                return message
            on_event(message["event"])
        status = await self._process.wait()
        return {"error": error_to_json(EngineError(f"the worker ended: {self._last_words()} (status {status})"))}

    async def step_aside(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self._send({"op": "step-aside"})

    async def kill(self) -> None:
        """The worker and its judge, which are of one process group; arms end with their judge."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        await self._process.wait()

    async def _send(self, message: Mapping[str, Any]) -> None:
        assert self._process.stdin is not None, "opened with a pipe"
        self._process.stdin.write(encode(message))
        await self._process.stdin.drain()

    def _last_words(self) -> str:
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            lines = log.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing"
