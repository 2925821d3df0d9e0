"""Two small processes between the judge and an arm: an arm always ends whole, and its end is reported.

    judge --- control socket --- waiter (outside the PID namespace) --- init (PID 1 inside) --- arm

The waiter holds the control socket: the judge's death or wish (any byte, or end of file) kills init, and with
PID 1 the kernel ends everything in the namespace, whatever session or group it hid in. Without a PID
namespace the waiter adopts the orphans and kills them one by one. An arm is not PID 1 itself, because default
signal actions (alarm, abort) do not work there and nobody would reap its orphans.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from outpace_audit import syscalls

LOG_CAP = 1 << 20
"""Bytes of an arm's output that are kept: the last ones. The file never grows beyond twice this."""

SWEEP_SECONDS = 0.8
"""For killing what escaped, where there is no PID namespace."""

_STATUS = struct.Struct("i")


class _Log:
    """Copies a pipe's last bytes to a file."""

    def __init__(self, pipe: int, file: int) -> None:
        self.pipe, self._file = pipe, file
        self._tail = b""
        self._size = 0
        os.set_blocking(pipe, False)

    def drain(self) -> bool:
        """Takes one chunk; False when nothing is left for now."""
        try:
            data = os.read(self.pipe, 1 << 16)
        except OSError:
            return False
        self._tail = (self._tail + data)[-LOG_CAP:]
        if self._size + len(data) > 2 * LOG_CAP:
            os.ftruncate(self._file, 0)
            self._size, data = 0, self._tail
        with contextlib.suppress(OSError):  # A full disk costs the log, not the run.
            self._size += os.pwrite(self._file, data, self._size)
        return bool(data)


def split(control: int, log: int, *, contained: bool, keep: set[int]) -> int:
    """Forks. The parent becomes the waiter and never returns; the child returns the pipe for its status.

    `control` is a connected SOCK_SEQPACKET to the judge, `log` an open file, `keep` the child's other
    descriptors. In the child, standard output and error are the log's pipe, standard input is empty, and
    nothing else is open.
    """
    status_read, status_write = os.pipe()
    log_read, log_write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child == 0:
        _become_init(log_write, status_write, keep)
        return status_write
    try:
        syscalls.set_dumpable(False)
        close_all_but({0, 1, 2, control, log, status_read, log_read})
        _watch(child, socket.socket(fileno=control), _Log(log_read, log), status_read, contained)
    finally:
        os._exit(70)


def _become_init(log_write: int, status_write: int, keep: set[int]) -> None:
    syscalls.die_with_parent()
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(log_write, 1)
    os.dup2(log_write, 2)
    close_all_but({0, 1, 2, status_write, *keep})
    _die_if_orphan(status_write)


def _die_if_orphan(status_write: int) -> None:
    """The waiter may have died before die_with_parent, and from inside the namespace its pid is unknown."""
    poll = select.poll()
    poll.register(status_write, 0)
    if poll.poll(0):
        os._exit(70)


def close_all_but(keep: set[int]) -> None:
    """Enough for a process that has just begun: the kernel hands out the lowest numbers."""
    low = 0
    for fd in (*sorted(keep), 1 << 16):
        if low < fd:  # os.closerange of an empty range may close everything (Python 3.11).
            os.closerange(low, fd)
        low = fd + 1


def _watch(child: int, control: socket.socket, log: _Log, status_read: int, contained: bool) -> NoReturn:
    if not contained:
        syscalls.adopt_orphans()
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
        signal.signal(ignored, signal.SIG_IGN)
    _send(control, {"init": child})
    own = _until_end(child, control, log, wake_read)
    if not contained:
        _sweep()
    while log.drain():
        pass
    arms = _reported_status(status_read)
    _send(control, {"status": own if arms is None else arms})
    os._exit(0)


def _until_end(child: int, control: socket.socket, log: _Log, wake_read: int) -> int:
    """The status of `child` once it has been reaped, which for PID 1 means that its whole namespace is
    gone."""
    poll = select.poll()
    for fd in (control.fileno(), log.pipe, wake_read):
        poll.register(fd, select.POLLIN)
    while True:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        for fd, _ in poll.poll():
            if fd == wake_read:
                os.read(wake_read, 64)
            elif fd == control.fileno():
                os.kill(child, signal.SIGKILL)
                poll.unregister(fd)
            elif not log.drain():
                poll.unregister(fd)


def _send(control: socket.socket, message: dict[str, int | None]) -> None:
    with contextlib.suppress(OSError):
        control.send(json.dumps(message).encode())


def _reported_status(status_read: int) -> int | None:
    """What init saw of the arm, as waitpid gives it; None where init was killed first."""
    os.set_blocking(status_read, False)
    try:
        data = os.read(status_read, _STATUS.size)
    except BlockingIOError:
        return None
    return _STATUS.unpack(data)[0] if len(data) == _STATUS.size else None


def _sweep() -> None:
    """Kills what was left to us, and what that leaves to us in turn."""
    deadline = time.monotonic() + SWEEP_SECONDS
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            for pid in children.read_text().split():
                os.kill(int(pid), signal.SIGKILL)
        try:
            if os.waitpid(-1, os.WNOHANG)[0] == 0:
                time.sleep(0.001)
        except ChildProcessError:
            return


def start_arm(status_write: int, lock: Callable[[], None]) -> None:
    """Forks: init stays, reaps, reports the arm's status and exits with it; the arm returns.

    `lock` runs in init before the fork (it gives up privileges): both processes are bound by it.
    """
    lock()
    syscalls.set_dumpable(False)
    syscalls.die_with_parent()
    _die_if_orphan(status_write)
    arm = os.fork()
    if arm == 0:
        os.close(status_write)
        os.setsid()
        syscalls.die_with_parent()
        syscalls.set_dumpable(True)
        return
    try:
        close_all_but({status_write})
        while True:
            pid, status = os.wait()
            if pid == arm:
                os.write(status_write, _STATUS.pack(status))
                break
    finally:
        os._exit(0)
