"""A command behind an arm's walls, in a tree of its own: started, followed line by line, and ended whole."""

from __future__ import annotations

import contextlib
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from outpace_audit.arm_process import ArmEnds, ArmProcess
from outpace_audit.channel import ChannelClosed, ChannelError
from outpace_audit.errors import EnvironmentMissing
from outpace_audit.sandbox import SandboxSpec
from outpace_audit.work_directory import WorkDirectory
from outpace_optimizers.training.reading import TrainingError
from outpace_optimizers.training.trees import RunTree
from outpace_optimizers.training.watch import CPU_EVERY_S, CpuPoint, Stop

Hear: TypeAlias = Callable[[str, float], "Stop | None"]
"""Of each line that is printed and the seconds since the command began; what it answers ends the command."""
START_S = 60.0
"""For a small Python process to build the walls, on a loaded machine."""
POLL_S = 0.01
TAIL = 20_000
"""Characters that are kept of what a run prints."""
LONGEST_LINE = 1 << 16


@dataclass(frozen=True, slots=True)
class Ended:
    """`status` in words; `seconds` by our clock."""

    status: str
    stop: Stop | None
    seconds: float
    tail: str
    protections: tuple[str, ...]
    cpu: tuple[CpuPoint, ...] = ()


def execute(
    work: WorkDirectory, tree: RunTree, spec: SandboxSpec, command: Sequence[str], environ: Mapping[str, str],
    hear: Hear, limit_s: float, kept: str = "",
) -> Ended | None:  # fmt: skip
    """None where no overlay can be had. `kept`: a folder of the project that is seen although no copy has it.

    Raises TrainingError where the command can't be started, EnvironmentMissing where the walls can't be built.
    """
    request = tree.request() | {
        "kept": kept,
        "scratch": str(tree.folder),
        "sandbox": spec.to_json(),
        "command": list(command),
        "environ": dict(environ),
    }
    read, write = os.pipe()
    with os.fdopen(read, "rb", buffering=0) as output:
        arm = _spawn(work, request, write)
        try:
            protections = _await_start(arm)
            return None if protections is None else _follow(arm, output.fileno(), protections, hear, limit_s)
        finally:
            arm.kill()


def _spawn(work: WorkDirectory, request: Mapping[str, Any], write: int) -> ArmProcess:
    ends = ArmEnds.open(work.folder / "enclosure.log", 4096)
    with ends.theirs as theirs:
        numbers = (*theirs.numbers(), write)
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", f"{__package__}.enclosure", *map(str, numbers)],
                stdin=subprocess.PIPE, stdout=theirs.log, stderr=theirs.log, pass_fds=numbers,
                cwd=work.empty, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            ends.close()
            raise
        finally:
            os.close(write)
    assert process.stdin is not None, "opened with a pipe"
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(json.dumps(request).encode())  # what stands in its arguments everybody can read
    return ArmProcess(ends, "spawn", process.pid, process)


def _await_start(arm: ArmProcess) -> tuple[str, ...] | None:
    """The walls in force once the command has begun; None where no overlay can be mounted."""
    try:
        message = arm.channel.recv(START_S)
        if message.get("no_overlay"):
            return None
        if "failed" in message and message.get("final"):
            raise EnvironmentMissing(str(message["failed"]))
        if "ready" in message:
            protections = tuple(str(name) for name in message["ready"])
            arm.begin(protections, 0.0)
            message = arm.channel.recv(START_S)
        elif "failed" in message:
            raise EnvironmentMissing(f"a run's walls can't be built: {message['failed']}")
        raise TrainingError(f"the command does not start: {message.get('failed')}: correct command, or give --python")
    except ChannelClosed:
        if arm.protections or arm.pid:
            return arm.protections
        last = arm.log_tail(300).strip().rpartition("\n")[2]
        raise TrainingError(f"the process that starts the run ended ({arm.exit_reason()}): {last}") from None
    except ChannelError as error:
        raise TrainingError(f"the run could not be started: {error}") from error


def _follow(
    arm: ArmProcess,
    output: int,
    protections: tuple[str, ...],
    hear: Callable[[str, float], Stop | None],
    limit_s: float,
) -> Ended:
    """Until the command ends, is given up by `hear`, or takes longer than `limit_s`."""
    started = time.monotonic()
    lines = _Lines()
    cpu: list[CpuPoint] = []
    stop: Stop | None = None
    open_ = True
    while stop is None and (open_ or arm.alive()):
        passed = time.monotonic() - started
        if passed > limit_s:
            stop = Stop("timed-out", f"it was ended after {limit_s:.4g} s")
            break
        if not open_:
            time.sleep(POLL_S)
        elif select.select([output], [], [], min(1.0, limit_s - passed + POLL_S))[0]:
            data = os.read(output, 1 << 16)
            open_ = bool(data)
            stop = next((found for line in lines.take(data) if (found := hear(line, time.monotonic() - started))), None)
            _add_cpu(cpu, arm.pid, time.monotonic() - started)
    seconds = time.monotonic() - started
    with arm.log_path.open("ab") as log:  # where exit_reason looks for what was out of memory
        log.write(lines.tail.encode())
    status = "stopped" if stop is not None else arm.exit_reason()
    arm.kill()
    return Ended(status, stop, seconds, lines.tail, protections, tuple(cpu))


def _add_cpu(points: list[CpuPoint], pid: int, at_s: float) -> None:
    if (not points or at_s - points[-1][0] >= CPU_EVERY_S) and (used := cpu_s(pid)):
        points.append((at_s, used))


def cpu_s(pid: int) -> float:
    """Of a process and all below it, with those that have ended and were waited for. 0 where it is gone.

    Threads that run are counted by nanoseconds, those that have ended with the rest of their process by hundredths.
    """
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        threads = list(Path(f"/proc/{pid}/task").iterdir())
        children = {int(child) for thread in threads for child in (thread / "children").read_text().split()}
        fine = sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9
    except OSError:
        return 0.0
    own, ended = (sum(map(int, fields[at : at + 2])) / os.sysconf("SC_CLK_TCK") for at in (11, 13))
    return max(own, fine) + ended + sum(map(cpu_s, children))


class _Lines:
    """Bytes to lines; an overlong one is cut."""

    def __init__(self) -> None:
        self._rest = b""
        self.tail = ""

    def take(self, data: bytes) -> list[str]:
        """No data: the end, with the last line whole or not."""
        *whole, self._rest = (self._rest + data).replace(b"\r", b"\n").split(b"\n") if data else (self._rest, b"")
        self._rest = self._rest[:LONGEST_LINE]
        found = [line[:LONGEST_LINE].decode(errors="replace") for line in whole if line]
        self.tail = ("\n".join((self.tail, *found)) if found else self.tail)[-TAIL:]
        return found
