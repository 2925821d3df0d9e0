"""Runs one job at a time for the engine: `python -m outpace_optimizers.engine.worker`, JSON lines in, JSON lines out.

Requests: {"job": {...}, "priority": ...} and, while one runs, {"op": "step-aside"}. Replies: {"event": ...}, and at
last one of {"ok": ...}, {"error": ...} and {"stepped_aside": true}. The judge stays warm from one job to the next. The
end of stdin, which is the engine's death, ends this process and everything below it at once.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
import traceback
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

from outpace_audit.errors import OutpaceError
from outpace_audit.gpu_load import Gpu
from outpace_audit.records import Machine
from outpace_audit.sandbox import make_undumpable
from outpace_optimizers import loop
from outpace_optimizers.codec import event_to_json
from outpace_optimizers.engine.protocol import Job, Priority, decode, encode, error_to_json, job_from_json
from outpace_optimizers.judge_client import Judges
from outpace_optimizers.records import Event, Report, StageEvent, Trial, TrialStarted


class SteppedAside(BaseException):  # no handler of errors may take it for one
    """More urgent work waits. What was finished is in the ledger, so the job goes on from there when it comes again."""


class Worker:
    def __init__(
        self, out: BinaryIO, priority: Priority = "interactive", step_aside: threading.Event | None = None
    ) -> None:
        """`priority`: of the job that runs; `step_aside` is set when more urgent work has come."""
        self._out = out
        self._jobs: queue.SimpleQueue[tuple[Job, Priority]] = queue.SimpleQueue()
        self._step_aside = step_aside or threading.Event()
        self._priority = priority
        self._judges = Judges(self.admit)
        self._first_trial: float | None = None
        """When the job's budget began to run."""

    def read(self, lines: BinaryIO) -> None:
        """In a thread of its own, so that a request is heard while a job runs."""
        for line in lines:
            message = decode(line)
            if "job" in message:
                self._step_aside.clear()
                self._jobs.put((job_from_json(message["job"]), message["priority"]))
            else:
                self._step_aside.set()
        os.killpg(0, signal.SIGKILL)

    def work(self) -> None:
        while True:
            job, self._priority = self._jobs.get()
            self._first_trial = None
            self._write(self._answer(job))

    def admit(self, machine: Machine) -> None:
        """Nothing is begun by itself on a GPU on which somebody else computes; what was asked for begins, and says that
        its timing will wait, and for whom."""
        if machine.device != "cuda":
            return
        gpu = Gpu.of(machine)
        if self._priority != "interactive":
            gpu.wait_until_free(lambda text: self._tell(StageEvent(text, waiting=True)), self._pause)
        elif user := gpu.used_by():
            self._tell(StageEvent(f"{user} uses the GPU: nothing is timed before it is free", waiting=True))

    def _pause(self, seconds: float) -> None:
        if self._step_aside.wait(seconds):
            raise SteppedAside

    def _answer(self, job: Job) -> dict[str, Any]:
        try:
            return {"ok": asdict(self._run(job))}
        except SteppedAside:
            spent = 0.0 if self._first_trial is None else time.monotonic() - self._first_trial
            return {"stepped_aside": True, "spent_s": spent}
        except Exception as error:
            if not isinstance(error, (OutpaceError, OSError)):
                traceback.print_exc()  # into the log
            return {"error": error_to_json(error)}

    def _run(self, job: Job) -> Report | Trial:
        if job.kind in ("replay", "recheck"):
            assert job.verdict is not None and job.root is not None, "what is measured again is named by both"
            repeat = loop.replay if job.kind == "replay" else loop.recheck
            return repeat(job.verdict, Path(job.root), job.again, self._tell, self._judges)
        assert job.request is not None, "only what is measured again has none"
        if job.kind == "optimize":
            return loop.optimize(job.request, self._tell, self._judges)
        assert job.candidate is not None, "an audit has a candidate"
        audit = loop.audit_solution if job.kind == "solution" else loop.audit_files
        return audit(Path(job.request.path), Path(job.candidate), job.request, self._tell, self._judges)

    def _tell(self, event: Event) -> None:
        if isinstance(event, TrialStarted) and self._step_aside.is_set():
            raise SteppedAside
        if isinstance(event, TrialStarted) and self._first_trial is None:
            self._first_trial = time.monotonic()
        self._write({"event": event_to_json(event)})

    def _write(self, message: Mapping[str, Any]) -> None:
        self._out.write(encode(message))
        self._out.flush()


def main() -> None:
    """Keeps the engine's stream for itself: what a library prints goes to the log."""
    make_undumpable()
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    worker = Worker(out)
    threading.Thread(target=worker.read, args=(sys.stdin.buffer,), daemon=True).start()
    worker.work()


if __name__ == "__main__":
    main()
