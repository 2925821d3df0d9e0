"""Runs the user's own command with the tracer inside, and gathers what its processes have shown."""

from __future__ import annotations

import contextlib
import json
import os
import shlex
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from outpace_audit.capture import starting
from outpace_audit.encoding import MAIN_NAMES
from outpace_audit.errors import TargetError
from outpace_audit.process_tree import descendants
from outpace_audit.work_directory import WorkDirectory
from outpace_optimizers.captures import CapturedTarget, keep
from outpace_optimizers.workspace import Workspace

End = Literal["ended", "time", "interrupted"]
LAST_WORDS_S = 10.0
"""For a script that is asked to stop, as by Ctrl-C: it may want to save what it has."""
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
    work = WorkDirectory()
    try:
        (work.path / "sitecustomize.py").write_text(starting.SITE)
        raw = work.folder / "captured"
        raw.mkdir()
        status, end = _run(command, _environment(work, raw, workspace), limit_s)
        documents = [json.loads(file.read_text(encoding="utf-8")) for file in sorted(raw.glob("*.json"))]
        traced = any(raw.glob(f"*{starting.STARTED}"))
    finally:
        work.remove()
    targets = merged(documents, shlex.join(command))
    keep(workspace.state, targets)
    return CaptureResult(targets, status, end, traced, _notes(documents))


def _environment(work: WorkDirectory, raw: Path, workspace: Workspace) -> dict[str, str]:
    path = os.pathsep.join(filter(None, (str(work.path), os.environ.get("PYTHONPATH"))))
    places = {"PYTHONPATH": path, starting.FOLDER: str(raw), starting.ROOT: str(workspace.root)}
    return {**os.environ, **EAGER, **places}


def _run(command: Sequence[str], environ: Mapping[str, str], limit_s: float | None) -> tuple[int, End]:
    try:
        process = subprocess.Popen(command, env=dict(environ))
    except (FileNotFoundError, PermissionError) as error:
        raise TargetError(_no_command(command[0])) from error
    end: End = "ended"
    try:
        process.wait(limit_s)
    except subprocess.TimeoutExpired:
        end = "time"
        _stop(process, ask=True)
    except KeyboardInterrupt:  # the terminal has told the script, too
        end = "interrupted"
        _stop(process, ask=False)
    return process.returncode if process.returncode >= 0 else 128 - process.returncode, end


def _stop(process: subprocess.Popen[bytes], *, ask: bool) -> None:
    if ask:
        process.send_signal(signal.SIGINT)
    deadline = time.monotonic() + LAST_WORDS_S
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(deadline - time.monotonic())
        return
    for pid in (*descendants(process.pid), process.pid):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    process.wait()


def _no_command(name: str) -> str:
    if name.endswith(".py") and Path(name).is_file():
        return f"{name} is a script, not a command: outpace capture -- python {name}"
    return f"{name}: no such command; name what you would type to run the script, e.g. python train.py"


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
    if any(not document["hook_kept"] for document in documents):
        return ("the script used Python's profiling hook itself: what it called after that was not seen",)
    return ()
