"""A workspace with a small target, and ways to look at the processes of its engine."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from outpace_audit.process_tree import descendants
from outpace_optimizers.engine.protocol import Job
from outpace_optimizers.records import OptimizeRequest
from outpace_optimizers.workspace import Workspace

PATIENCE_S = 60.0
ATTENTION = """def attend{number}(q, k, v):
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.size(-1))
    return torch.softmax(scores, dim=-1) @ v"""


def make_workspace(folder: Path, changes: int) -> Workspace:
    """A target with so many changes to try, each rejected within seconds: fused attention is not `exact` where its
    scale is no power of two."""
    functions = "\n\n".join(ATTENTION.format(number=number) for number in range(changes))
    calls = " + ".join(f"attend{number}(q, k, v)" for number in range(changes))
    inputs = "def get_inputs():\n    return [torch.randn(2, 8, 12) for _ in range(3)]\n"
    source = f"import math\nimport torch\n\n\n{functions}\n\n\ndef f(q, k, v):\n    return {calls}\n\n\n{inputs}"
    (folder / "small.py").write_text(source)
    workspace = Workspace(folder)
    workspace.prepare()
    return workspace


def small_job(workspace: Workspace) -> Job:
    path = str(workspace.root / "small.py")
    return Job("optimize", OptimizeRequest(path, "f", 300.0, "exact", "cpu", skip=("torch-compile",)))


def until(true: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def processes_of(engine: int) -> dict[int, str]:
    """The engine and all below it, by command line."""
    return {pid: line for pid in (engine, *descendants(engine)) if (line := command_line(pid))}


def engine_of(workspace: Workspace) -> int | None:
    """The pid of the workspace's engine, found without talking to it."""
    wanted = f"outpace_optimizers.engine {workspace.state}"
    for name in os.listdir("/proc"):  # noqa: PTH208
        if name.isdigit() and wanted in command_line(int(name)):
            return int(name)
    return None
