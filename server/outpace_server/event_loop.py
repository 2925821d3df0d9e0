"""Commands that run an event loop: a signal ends them between two of its steps."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import Coroutine, Generator
from types import FrameType
from typing import Any

from outpace_server.processes import Interrupted, kill_descendants, polite

STUCK_S = 5.0
"""For the loop to hear of a signal: what holds it up for longer is a pipe that nobody reads any more."""


def run_in_loop(work: Coroutine[Any, Any, None]) -> None:
    """To its end, or until a signal cancels it. Raises Interrupted then.

    The exception that `interruptible` raises would come in the midst of asyncio's own lines, and take along the step
    that was to be made next: its task never ends, and the end of the loop waits for all of them.
    """
    told: list[int] = []
    try:
        asyncio.run(_until_told(work, told))
    except asyncio.CancelledError:
        if not told:
            raise
        raise Interrupted(told[0]) from None


async def _until_told(work: Coroutine[Any, Any, None], told: list[int]) -> None:
    with _heard(told):
        await work


@contextlib.contextmanager
def _heard(told: list[int]) -> Generator[None]:
    """Signals cancel the running task; further ones of the kind are ignored while it, and then the loop, ends."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop, task = asyncio.get_running_loop(), asyncio.current_task()
    assert task is not None, "runs in one"

    def hear() -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        task.cancel()

    def note(number: int, _frame: FrameType | None) -> None:
        if not told:
            told.append(number)
            signal.setitimer(signal.ITIMER_REAL, STUCK_S)
            loop.call_soon_threadsafe(hear)

    def give_up(_number: int, _frame: FrameType | None) -> None:
        kill_descendants()
        os._exit(128 + told[0])

    before = {number: signal.getsignal(number) for number in polite()}
    heeded = {number: handler for number, handler in before.items() if handler is not signal.SIG_IGN}
    alarm = signal.signal(signal.SIGALRM, give_up)
    for number in heeded:
        signal.signal(number, note)
    try:
        yield
    finally:
        for number, handler in heeded.items():
            signal.signal(number, signal.SIG_IGN if told else handler)
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, alarm)
