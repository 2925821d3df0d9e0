"""Who else computes on a GPU: by NVML where the interpreter has nvidia-ml-py, else by `nvidia-smi`.

Asked by processes that compute nothing themselves, at moments when their arms rest: what keeps the GPU busy then is
somebody else's. Both count process ids as the asking process sees them, and hide those of other containers.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from outpace_audit.process_tree import descendants
from outpace_audit.records import Machine

BUSY = 0.1
"""Share of the driver's sampling time in which something ran. A desktop or an idle notebook stays below."""
QUIET_S = 2.0
"""Below BUSY for so long with others on the GPU: training that loads its next batch pauses for less."""
SETTLE_S = 1.5
"""The driver's samples cover up to a second: for so long our own last work may show."""
POLL_S = 0.5
TOOL_S = 10.0
"""For nvidia-smi, which takes tenths of a second, on machines with many GPUs more."""
SHOWN = 60
"""Characters of a command line that are shown."""


@dataclass(frozen=True, slots=True)
class Program:
    """A process with a context on the GPU. `memory_bytes` None where the driver does not say."""

    pid: int
    memory_bytes: int | None

    @property
    def words(self) -> str:
        """`python train.py (pid 4711)`."""
        return f"{_command(self.pid)} (pid {self.pid})"


@dataclass(frozen=True, slots=True)
class GpuUse:
    """`busy`: share of the last moment in which any kernel ran; None where the driver does not say (MIG)."""

    programs: tuple[Program, ...]
    busy: float | None
    free_bytes: int | None
    total_bytes: int | None


class Gpu:
    """One GPU as the driver's tools name it: its UUID, or its index. `ours` are process ids that are not foreign."""

    def __init__(self, name: str, ours: Callable[[], set[int]] | None = None) -> None:
        self._name = name
        self._ours = ours or _this_process_and_below

    @classmethod
    def of(cls, machine: Machine) -> Gpu:
        uuid = machine.uuid
        return cls(uuid if uuid.startswith(("GPU-", "MIG-")) else f"GPU-{uuid}")

    @classmethod
    def first_visible(cls) -> Gpu:
        """For moments at which no machine is known yet."""
        return cls(os.environ.get("CUDA_VISIBLE_DEVICES", "").partition(",")[0].strip() or "0")

    def use(self) -> GpuUse | None:
        """None where neither NVML nor nvidia-smi answers."""
        return _by_nvml(self._name) or _by_tool(self._name)

    def used_by(self) -> str:
        """Who computes on it just now, if that is another process that can be seen; empty where none is."""
        use = self.use()
        others = self._others(use) if use is not None else []
        return _names(others) if use is not None and others and _is_busy(use) else ""

    def wait_until_free(
        self, tell: Callable[[str], None], pause: Callable[[float], object] = time.sleep, *, unseen: bool = True
    ) -> bool:
        """Whether it had to be waited for. `tell` hears for whom, again when that changes; `pause` may raise. `unseen`:
        for programs that only the load tells of, too, once what we have just done ourselves has passed."""
        began = quiet_since = time.monotonic()
        told = ""
        while (use := self.use()) is not None:
            now, others = time.monotonic(), self._others(use)
            if _is_busy(use) and (others or unseen):
                quiet_since = now
                waiting_for = _names(others) if others else "a program that cannot be seen from here"
                if now - began >= SETTLE_S and waiting_for != told:
                    told = waiting_for
                    tell(f"waiting: {told} uses the GPU")
            elif not others or now - quiet_since >= QUIET_S:
                break
            pause(POLL_S)
        return bool(told)

    def memory_words(self) -> str:
        """`1.2 of 80.0 GB are free on the GPU; python train.py (pid 4711) holds 77.1 GB`; empty where nobody tells."""
        use = self.use()
        if use is None or use.free_bytes is None or use.total_bytes is None:
            return ""
        held = [
            f"{program.words} holds {_gigabytes(program.memory_bytes)} GB"
            for program in self._others(use)
            if program.memory_bytes
        ]
        free = f"{_gigabytes(use.free_bytes)} of {_gigabytes(use.total_bytes)} GB are free on the GPU"
        return "; ".join([free, *held])

    def _others(self, use: GpuUse) -> list[Program]:
        """The one with the most memory first."""
        ours = self._ours()
        others = [program for program in use.programs if program.pid not in ours]
        return sorted(others, key=lambda program: program.memory_bytes or 0, reverse=True)


def _is_busy(use: GpuUse) -> bool:
    return use.busy is not None and use.busy >= BUSY


def _this_process_and_below() -> set[int]:
    return {os.getpid(), *descendants(os.getpid())}


def _names(programs: Sequence[Program]) -> str:
    more = f" and {len(programs) - 1} more" if len(programs) > 1 else ""
    return f"{programs[0].words}{more}"


def _command(pid: int) -> str:
    """As it was started, without the folder of its program."""
    words: list[str] = []
    with contextlib.suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    line = " ".join(" ".join([Path(words[0]).name, *words[1:]]).split()) if words and words[0] else "a program"
    return line if len(line) <= SHOWN else f"{line[:SHOWN]}..."


def _gigabytes(size: int) -> str:
    return f"{size / 1e9:.1f}"


def _by_nvml(name: str) -> GpuUse | None:
    """None without nvidia-ml-py, without a driver, and where the GPU has no such name."""
    try:
        nvml: Any = importlib.import_module("pynvml")
        nvml.nvmlInit()
    except Exception:  # its own exceptions are a module that may be missing
        return None
    try:
        handle = nvml.nvmlDeviceGetHandleByIndex(int(name)) if name.isdigit() else nvml.nvmlDeviceGetHandleByUUID(name)
        processes = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
        memory = nvml.nvmlDeviceGetMemoryInfo(handle)
        try:
            busy = nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
        except nvml.NVMLError:
            busy = None
        programs = tuple(Program(int(one.pid), one.usedGpuMemory) for one in processes)
        return GpuUse(programs, busy, int(memory.free), int(memory.total))
    except nvml.NVMLError:
        return None
    finally:
        nvml.nvmlShutdown()


def _by_tool(name: str) -> GpuUse | None:
    gpu = _lines(name, "--query-gpu=utilization.gpu,memory.free,memory.total")
    programs = _lines(name, "--query-compute-apps=pid,used_memory")
    if not gpu or programs is None:
        return None
    busy, free, total = (*gpu[0], None, None, None)[:3]
    found = [Program(pid, _mebibytes(one[1:])) for one in programs if (pid := one[0]) is not None]
    return GpuUse(tuple(found), None if busy is None else busy / 100, _mebibytes([free]), _mebibytes([total]))


def _lines(name: str, query: str) -> list[list[int | None]] | None:
    """The tool's table; None in a field that is no number (`[N/A]`), None for a tool that is missing or fails."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return None
    try:
        done = subprocess.run(
            [tool, f"--id={name}", query, "--format=csv,noheader,nounits"],
            capture_output=True, text=True, errors="replace", timeout=TOOL_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return None
    if done.returncode != 0:
        return None
    rows = [line.split(",") for line in done.stdout.splitlines() if line.strip()]
    return [[int(word) if (word := field.strip()).isdigit() else None for field in row] for row in rows]


def _mebibytes(fields: Sequence[int | None]) -> int | None:
    return fields[0] << 20 if fields and fields[0] is not None else None
