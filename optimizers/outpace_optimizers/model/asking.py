"""One question under way, in a thread of its own: the device is at work in the meantime."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections.abc import Callable

from outpace_optimizers.model.client import Answer
from outpace_optimizers.records import NOT_ASKED, Asked

LONGEST_WAIT_S = 3600.0
"""In one go: a lock takes no infinite time limit."""


class Asking:
    """`begin` starts it, `wait` and `answer` end it.

    One that is left is not tried again. What was sent may have been charged for: while this process lives its reply is
    still waited for, booked and kept, so that a later run has it.
    """

    def __init__(self, question: str, answer: Answer | None = None) -> None:
        """`answer`: of a question that was asked before."""
        self.question = question
        self.cost: Asked = NOT_ASKED
        """Tokens and dollars that are booked for it, all tries together; the thread adds them up."""
        self._outcome: Answer | Exception | None = answer
        self._heard: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._changing = threading.Lock()
        self._left = threading.Event()
        self._after: list[Callable[[], None]] = []
        self._thread: threading.Thread | None = None

    def begin(self, work: Callable[[Asking], Answer]) -> None:
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def arrived(self) -> bool:
        """The reply, or that there is none."""
        return self._outcome is not None

    def wait(self, limit_s: float, tell: Callable[[str], None]) -> bool:
        """Whether it has arrived; `tell` hears what the thread has to say."""
        deadline = time.monotonic() + min(limit_s, LONGEST_WAIT_S)
        while not self.arrived and (left := deadline - time.monotonic()) > 0:
            with contextlib.suppress(queue.Empty):
                _told(self._heard.get(timeout=left), tell)
        with contextlib.suppress(queue.Empty):
            while True:
                _told(self._heard.get_nowait(), tell)
        return self.arrived

    def answer(self) -> Answer:
        """Once it has arrived. Raises ModelError where there is none."""
        assert self._outcome is not None, "it has arrived"
        if isinstance(self._outcome, Exception):
            raise self._outcome
        return self._outcome

    def leave(self, then: Callable[[], None]) -> bool:
        """False where it has arrived; else `then` is called when it has, in the thread."""
        with self._changing:
            if self.arrived:
                return False
            self._after.append(then)
            self._left.set()
        return True

    def take_back(self) -> bool:
        """Waited for again, after all. False where it has arrived."""
        with self._changing:
            if not self.arrived:
                self._left.clear()
            return not self.arrived

    # For the thread:

    @property
    def left(self) -> bool:
        return self._left.is_set()

    def say(self, text: str) -> None:
        self._heard.put(text)

    def pause(self, seconds: float) -> None:
        """Until it is left, at most."""
        self._left.wait(seconds)

    def _run(self, work: Callable[[Asking], Answer]) -> None:
        try:
            outcome: Answer | Exception = work(self)
        except Exception as error:  # for whoever waits: a thread has nobody to tell
            outcome = error
        with self._changing:
            self._outcome = outcome
        for then in self._after:
            then()
        self._heard.put("")  # wakes who waits


def _told(text: str, tell: Callable[[str], None]) -> None:
    if text:
        tell(text)
