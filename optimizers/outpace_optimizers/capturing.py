"""Runs the user's own command with the tracer inside, and gathers what its processes have shown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from outpace_audit.encoding import MAIN_NAMES
from outpace_optimizers.captures import CapturedTarget, keep
from outpace_optimizers.running import End, run_command, with_inside
from outpace_optimizers.workspace import Workspace

EAGER = {"TORCH_COMPILE_DISABLE": "1", "TORCHDYNAMO_DISABLE": "1"}
"""Compiled code makes no calls that could be seen."""


@dataclass(frozen=True, slots=True)
class CaptureResult:
    """`status` of the command as shells have it; `traced` says whether any Python with the tracer was started."""

    targets: tuple[CapturedTarget, ...]
    status: int
    end: End
    traced: bool
    notes: tuple[str, ...]


def capture(command: Sequence[str], workspace: Workspace, limit_s: float | None) -> CaptureResult:
    """Runs `command` here, with this terminal, and keeps what it showed in the workspace.

    Raises TargetError where there is no such command, EnvironmentMissing where nothing can be kept.
    """
    workspace.prepare()
    with with_inside("outpace_audit.capture.starting", workspace) as run:
        status, end = run_command(command, {**run.environ, **EAGER}, limit_s, "outpace capture")
        documents = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(run.raw.glob("*.json"))]
        traced = run.started
    targets = merged(documents, shlex.join(command))
    keep(workspace.state, targets)
    return CaptureResult(targets, status, end, traced, _notes(documents))


def merged(documents: Sequence[Mapping[str, Any]], command: str) -> tuple[CapturedTarget, ...]:
    """One target for each function and module, over all processes; the one that took most time first."""
    alike: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for document in documents:
        for seen in document["targets"]:
            alike.setdefault((seen["path"], seen["name"]), []).append(seen)
    targets = [_one(variants, command) for variants in alike.values()]
    return tuple(sorted(targets, key=lambda target: -target.seconds))


def _one(variants: Sequence[Mapping[str, Any]], command: str) -> CapturedTarget:
    """The variant (a module built with certain arguments, a process) that took most time among those to be repeated."""
    usable = [seen for seen in variants if _usable(seen)]
    seen = max(usable or variants, key=lambda one: one["seconds"])
    return CapturedTarget(
        path=seen["path"],
        name=seen["name"],
        kind=seen["kind"],
        parameters=tuple(seen["parameters"]),
        calls=sum(one["calls"] for one in variants),
        seconds=sum(one["seconds"] for one in variants),
        trouble=None if usable else _trouble(seen),
        constructor=seen["constructor"],
        dtype=seen["dtype"],
        script=seen["module"] in MAIN_NAMES,
        globals=seen["globals"],
        workloads=tuple(seen["workloads"]),
        further=seen["further"],
        command=command,
    )


def _usable(seen: Mapping[str, Any]) -> bool:
    built = seen["kind"] == "function" or seen["constructor"] is not None
    return built and any(workload["tensors"] for workload in seen["workloads"])


def _trouble(seen: Mapping[str, Any]) -> str:
    return str(seen["trouble"] or "it takes no tensor")


def _notes(documents: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    notes: list[str] = []
    if any(not document["hook_kept"] for document in documents):
        notes.append("the script used Python's profiling hook itself: what it called after that was not seen")
    if any(document["jit"] for document in documents):
        notes.append(
            "what torch.jit compiles makes no calls that could be seen: set PYTORCH_JIT=0 to have it run as Python"
        )
    return tuple(notes)
