"""L4 of one audit: the screen before the dear probes, pairs between these where pairs have to lie apart, the rest after
them. Each has the device to itself."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from outpace_audit.checks.evidence import Evidence, MemoryWatch
from outpace_audit.confirmation import Confirmation
from outpace_audit.errors import ArmError, JudgeError
from outpace_audit.gpu_load import Gpu
from outpace_audit.lease import DeviceBusy, device_lease
from outpace_audit.memory_watch import watch_memory, why_unwatched
from outpace_audit.records import Check

if TYPE_CHECKING:
    from outpace_audit.judge import Judge


class TimedStage:
    """What failed before the end is said at the end: a probe may find a better name for it."""

    def __init__(
        self, judge: Judge, evidence: Evidence, confirmations_before: int, tell: Callable[[str, Any], None]
    ) -> None:
        self._judge = judge
        self._evidence = evidence
        self._machine = judge.machine
        self._holder = f"{evidence.baseline.symbol} in {evidence.baseline.path}"
        self._tell = tell
        self._say_waiting: Callable[[str], None] = lambda text: None
        self._failure: ArmError | None = None
        self._confirmation = Confirmation(judge, evidence, confirmations_before, tell, self._undisturbed)

    def screen(self) -> Check | None:
        """A failed check for what one pair shows to be no faster."""
        with self._noting_failure(), self._device():
            return self._confirmation.screen()
        return None

    def between(self) -> None:
        """One pair more, if the last one is long enough ago and nobody else measures."""
        if self._failure is None and self._confirmation.is_due:
            with self._noting_failure(), self._device(waits=False):
                self._confirmation.take_pair()

    def finish(self) -> Check | None:
        """Fills the timing evidence; a failed check where the candidate failed meanwhile."""
        if self._failure is None:
            with self._noting_failure(), self._device():
                self._confirmation.run()
        if self._failure is None:
            return None
        said = f"the candidate failed while it was timed: {self._failure}"
        return Check("timed-run", "L4", False, said, numbers={"kind": self._failure.kind})

    def watch_memory(self) -> MemoryWatch:
        """Where there is nothing to watch, the device is left to others."""
        if unwatched := why_unwatched(self._evidence):
            return MemoryWatch(not_seen=unwatched)
        self._tell("stage", "looking for memory errors")
        with self._device():
            return watch_memory(self._judge, self._evidence)

    @contextmanager
    def _noting_failure(self) -> Generator[None]:
        try:
            yield
        except DeviceBusy:
            return
        except ArmError as error:
            self._failure = blame_candidate(error)

    @contextmanager
    def _device(self, *, waits: bool = True) -> Generator[None]:
        """Raises DeviceBusy where it is another's and `waits` is false."""
        asked = time.monotonic()
        tell_waiting = (lambda text: self._tell("waiting", text)) if waits else None
        with device_lease(self._machine, self._holder, tell_waiting) as self._say_waiting:
            self._judge.stood_still(time.monotonic() - asked)
            self._wait_for_gpu(unseen=True)
            yield

    def _undisturbed(self) -> bool:
        return not self._wait_for_gpu(unseen=False)

    def _wait_for_gpu(self, *, unseen: bool) -> bool:
        """Until no other program computes on the GPU; whether one did. The candidate's time stands still meanwhile."""
        if self._machine.device != "cuda":
            return False

        def waiting(text: str) -> None:
            self._say_waiting(text)
            self._tell("waiting", text)

        asked = time.monotonic()
        waited = Gpu.of(self._machine).wait_until_free(waiting, unseen=unseen)
        self._judge.stood_still(time.monotonic() - asked)
        if waited:
            self._say_waiting("")
        return waited


def blame_candidate(error: ArmError) -> ArmError:
    """The error, if it is the candidate's; a baseline's or oracle's is no verdict and raises JudgeError."""
    if error.side not in ("candidate", ""):
        raise JudgeError(f"the {error.side} failed, so nothing can be compared: {error}") from error
    return error
