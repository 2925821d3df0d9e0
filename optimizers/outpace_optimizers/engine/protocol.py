"""What clients, engine and worker say to each other: one JSON object a line.

client -> engine   {"id": 1, "op": "run", "job": {...}, "caller": {...}, "priority": "interactive"}
                   {"id": 1, "op": "cancel"}
                       {"id": 2, "op": "status"}
                       {"id": 3, "op": "offers", "path": "/home/me/model.py", "text": "import torch..."}
                       {"id": 4, "op": "hold"}, when background work was paused or goes on (pausing.py)
engine -> client   {"hello": {...}} once, then {"id": 1, "event": {...}} any number of times and at last
                   {"id": 1, "ok": ...} or {"id": 1, "error": {"kind", "message"}}
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, get_args

from outpace_audit import codec, errors
from outpace_optimizers.records import Again, OptimizeRequest

PROTOCOL = 6
"""Raised whenever a message changes its meaning. Engine and client of different protocols do not talk."""
LINE_LIMIT = 64 << 20
"""Bytes. A report carries the text of its file several times for each trial."""

Priority = Literal["interactive", "saved", "background"]
"""The most urgent first: what somebody asked for and waits for, a file that was saved, a file that is open."""
URGENCY = {priority: order for order, priority in enumerate(get_args(Priority))}


@dataclass(frozen=True, slots=True)
class Job:
    """One call of the loop. `candidate` belongs to "audit" and "solution"; `root`, `again` and `verdict` (an id, or an
    evidence file) to "replay" and "recheck"."""

    kind: Literal["optimize", "audit", "solution", "replay", "recheck"]
    request: OptimizeRequest | None = None
    candidate: str | None = None
    verdict: str | None = None
    root: str | None = None
    again: Again = field(default_factory=Again)

    def after(self, spent_s: float) -> Job:
        """What is left of it where it stepped aside after so many seconds of its budget."""
        if self.kind != "optimize" or self.request is None:
            return self
        return replace(self, request=replace(self.request, budget_s=max(self.request.budget_s - spent_s, 0.0)))

    @property
    def title(self) -> str:
        return f"{self.kind} {Path(self.request.path).name}" if self.request else f"a {self.kind}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Where a job is run for: relative paths, the interpreter and the visible GPUs are the caller's."""

    cwd: str
    environ: Mapping[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def this_process(cls) -> Caller:
        return cls(os.getcwd(), dict(os.environ))  # noqa: PTH109 - a plain string for JSON


def job_to_json(job: Job) -> dict[str, Any]:
    return asdict(job)


def job_from_json(message: Mapping[str, Any]) -> Job:
    return codec.decode(Job, message)


def error_to_json(error: BaseException) -> dict[str, Any]:
    """Errors of the project keep their kind; anything else is a bug of ours and says what it was."""
    if isinstance(error, errors.OutpaceError):
        return {"kind": type(error).__name__, "message": str(error)}
    if isinstance(error, OSError):
        return {
            "kind": "OSError",
            "errno": error.errno,
            "message": error.strerror or str(error),
            "path": error.filename,
        }
    return {"kind": "EngineError", "message": f"{type(error).__name__}: {error}; please report it"}


def error_from_json(message: Mapping[str, Any]) -> Exception:
    if message["kind"] == "OSError":
        return OSError(message.get("errno") or 0, message["message"], message.get("path"))
    kind = getattr(errors, message["kind"], errors.EngineError)
    return (errors.JudgeError if kind is errors.ArmError else kind)(message["message"])


def encode(message: Mapping[str, Any]) -> bytes:
    return json.dumps(message, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> dict[str, Any]:
    """Raises ValueError for what is not one JSON object."""
    message = json.loads(line)
    if not isinstance(message, dict):
        raise ValueError("a message is a JSON object")
    return message
