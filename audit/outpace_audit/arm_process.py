"""One arm as the judge holds it: its channel, its shared memory, and its end."""

from __future__ import annotations

import contextlib
import fcntl
import json
import mmap
import os
import re
import select
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from outpace_audit.channel import Channel

KILL_SECONDS = 2.0
"""For the kernel to end a namespace; milliseconds on a CPU, more where GPU memory has to be given back."""

GRACE_SECONDS = 10.0
"""For the waiter to say how an arm ended whose channel has: milliseconds where a processor is free, and a second or two
where many processes want one. Taken for "still running", an arm without memory would be a verdict on its code."""

_F_ADD_SEALS = 1033
_F_SEAL_SEAL, _F_SEAL_SHRINK, _F_SEAL_GROW = 1, 2, 4
_OUT_OF_MEMORY = re.compile(
    r"MemoryError|OutOfMemoryError|out of memory|can't allocate memory|bad_alloc|Cannot allocate memory"
)


@dataclass(frozen=True, slots=True)
class Descriptors:
    """What the arm gets: a context, at whose end the judge's copies are closed."""

    channel: socket.socket
    shared: int
    control: socket.socket
    log: int

    def numbers(self) -> tuple[int, int, int, int]:
        """In the order that zygote.DESCRIPTORS names."""
        return self.channel.fileno(), self.shared, self.control.fileno(), self.log

    def __enter__(self) -> Descriptors:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.channel.close()
        self.control.close()
        os.close(self.shared)
        os.close(self.log)


@dataclass(frozen=True, slots=True)
class ArmEnds:
    """The judge's ends, and what belongs to the arm."""

    channel: Channel
    shared: mmap.mmap
    control: socket.socket
    log_path: Path
    theirs: Descriptors

    @classmethod
    def open(cls, log_path: Path, shared_bytes: int) -> ArmEnds:
        memory = os.memfd_create("outpace-arm", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(memory, shared_bytes)
        # An arm that made the file shorter would kill the judge with SIGBUS at its next look.
        fcntl.fcntl(memory, _F_ADD_SEALS, _F_SEAL_SHRINK | _F_SEAL_GROW | _F_SEAL_SEAL)
        channel, their_channel = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        control, their_control = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        log = os.open(log_path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        theirs = Descriptors(their_channel, memory, their_control, log)
        return cls(Channel(channel), mmap.mmap(memory, shared_bytes), control, log_path, theirs)

    def close(self) -> None:
        self.channel.close()
        self.control.close()
        with contextlib.suppress(BufferError):  # A reader's view keeps the memory until it is dropped.
            self.shared.close()


class ArmProcess:
    """`pid` is PID 1 of the arm's namespace as the judge sees it (0 before that is known)."""

    def __init__(
        self,
        ends: ArmEnds,
        started_by: Literal["fork", "spawn"],
        waiter: int,
        process: subprocess.Popen[bytes] | None,
    ) -> None:
        self.channel = ends.channel
        self.shared = ends.shared
        self.started_by = started_by
        self.log_path = ends.log_path
        self.pid = 0
        self.protections: tuple[str, ...] = ()
        self.self_test_s = 0.0
        self._ends = ends
        self._waiter = waiter
        self._process = process
        self._status: int | None = None
        self._ended = False
        self._killed = False
        self.released = False

    def begin(self, protections: tuple[str, ...], self_test_s: float) -> None:
        """For the launcher, once the arm has reported."""
        self.protections = protections
        self.self_test_s = self_test_s
        while not self.pid and not self._ended and self._hear(1.0):
            pass

    def alive(self) -> bool:
        while not self._ended and self._hear(0.0):
            pass
        return not self._ended

    def kill(self) -> None:
        """Ends the arm and everything it started, and frees the shared memory. Idempotent."""
        if self.alive():
            self._killed = True
            with contextlib.suppress(OSError):
                self._ends.control.send(b"kill")
            self._await_end(KILL_SECONDS)
        if not self._ended:
            # It still holds its socket, so it lives and the number is its own. Its death is init's.
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._waiter, signal.SIGKILL)
            self._await_end(KILL_SECONDS)
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(KILL_SECONDS)
        self._ended = self.released = True
        self._ends.close()

    def finish(self, seconds: float) -> int | None:
        """Hangs up and lets it end by itself; its exit status, None where it did not end so."""
        self.channel.hang_up()
        self._await_end(seconds)
        if self.alive() or self._killed or self._status is None or not os.WIFEXITED(self._status):
            return None
        return os.WEXITSTATUS(self._status)

    def log_tail(self, n_chars: int = 2000) -> str:
        """The end of what the arm printed: hostile text, to be shown and never parsed."""
        try:
            with self.log_path.open("rb") as file:
                file.seek(max(0, self.log_path.stat().st_size - 4 * n_chars))
                return file.read(4 * n_chars).decode(errors="replace")[-n_chars:]
        except OSError:
            return ""

    def exit_reason(self) -> str:
        """One phrase. "out of memory" is a passing trouble and rests on the arm's own words or the kernel's
        kill."""
        # The end of the channel is seen before the end of the process.
        self._await_end(GRACE_SECONDS)
        if self.alive():
            return "still running"
        if self._killed:
            return "killed by the judge"
        if self._status is None:
            return "its keeper died"
        if os.WIFSIGNALED(self._status):
            number = os.WTERMSIG(self._status)
            if number == signal.SIGKILL:
                return "killed by SIGKILL (out of memory, where nobody else sent it)"
            return f"killed by {_signal_name(number)}"
        code = os.WEXITSTATUS(self._status)
        if code != 0 and _OUT_OF_MEMORY.search(self.log_tail()):
            return "out of memory"
        return f"exit status {code}"

    def _await_end(self, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while not self._ended and (remaining := deadline - time.monotonic()) > 0:
            self._hear(remaining)

    def _hear(self, timeout: float) -> bool:
        """Takes one message from the waiter; False when none came."""
        try:
            if not select.select([self._ends.control], [], [], timeout)[0]:
                return False
            message: dict[str, Any] = json.loads(self._ends.control.recv(4096) or b'{"gone": 1}')
        except (OSError, ValueError):
            message = {"gone": 1}
        self.pid = message.get("init", self.pid)
        self._status = message.get("status", self._status)
        self._ended = self._ended or "init" not in message
        return True


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
