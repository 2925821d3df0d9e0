"""Leaving nothing behind: signals become an exception, and what still runs below us is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import types
from collections.abc import Generator

from outpace_audit.process_tree import descendants


class Interrupted(KeyboardInterrupt):
    """Ctrl-C, a closed terminal or a polite kill. `exit_status` is 128 + the signal, as shells count."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.exit_status = 128 + number


@contextlib.contextmanager
def interruptible() -> Generator[None]:
    """Raise Interrupted once; further signals of the kind are ignored while the clean-up runs."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    numbers = polite()
    before = {number: signal.getsignal(number) for number in numbers}

    def interrupt(number: int, _frame: types.FrameType | None) -> None:
        for other in numbers:
            signal.signal(other, signal.SIG_IGN)
        raise Interrupted(number)

    try:
        for number in numbers:
            if before[number] is not signal.SIG_IGN:  # nohup stays nohup
                signal.signal(number, interrupt)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def kill_descendants() -> int:
    """The last resort after an interrupt: the judge ends its arms itself, this ends what it could not.

    All are stopped first, again and again until no new one turns up: a stopped process cannot fork, and none
    is lost to init because its parent died before it was seen. A second signal waits meanwhile: it would leave
    them stopped.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, polite())
    try:
        stopped: set[int] = set()
        while fresh := set(descendants(os.getpid())) - stopped:
            for pid in fresh:
                _send(pid, signal.SIGSTOP)
            stopped |= fresh
        for pid in stopped:
            _send(pid, signal.SIGKILL)
        return len(stopped)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def polite() -> list[signal.Signals]:
    return [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(pid, number)
