"""Where the engine of a workspace listens, and the lock that keeps it the only one."""

from __future__ import annotations

import fcntl
import hashlib
import os
from pathlib import Path
from types import TracebackType

from outpace_audit.runtime import runtime_folder

LOCK = "engine.lock"
LOG = "engine.log"
"""What engine and workers print, in the state folder."""


def socket_of(state: Path) -> Path:
    """A short name: a socket's path may have 107 bytes."""
    return runtime_folder() / f"engine-{hashlib.sha256(str(state.resolve()).encode()).hexdigest()[:16]}.sock"


class Lock:
    """Held as long as the process lives, however it ends. Use as a context."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls, state: Path) -> Lock | None:
        """None where another engine has it."""
        descriptor = os.open(state / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def __enter__(self) -> Lock:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
