"""One measurement at a time on one device: a lock of the kernel, which ends with its process however that ends."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager

from outpace_audit.errors import EnvironmentMissing
from outpace_audit.records import Machine
from outpace_audit.runtime import runtime_folder

POLL_S = 0.2
"""The kernel can wait for a lock too, but then a signal would have to end the wait."""


@contextmanager
def device_lease(machine: Machine, holder: str, tell: Callable[[str], None]) -> Generator[None]:
    """Holds the device of `machine` for one measurement. `holder` is what others are told; `tell` hears whom we await.

    Leases are shared between all processes of one user; other users' work is noticed as a load, not waited for.
    Raises EnvironmentMissing where no lock file can be made.
    """
    path = runtime_folder() / f"{machine.device}-{hashlib.sha256(machine.uuid.encode()).hexdigest()[:16]}.lease"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EnvironmentMissing(f"{path}: {error.strerror}: set XDG_RUNTIME_DIR to a folder of your own") from error
    try:
        _lock(descriptor, tell)
        _sign(descriptor, holder)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int, tell: Callable[[str], None]) -> None:
    told = ""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            waiting_for = _holder(descriptor)
            if waiting_for != told:
                told = waiting_for
                tell(f"waiting for the device: {told} is measuring on it")
            time.sleep(POLL_S)


def _sign(descriptor: int, holder: str) -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "holder": holder}).encode(), 0)


def _holder(descriptor: int) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        signed = json.loads(os.pread(descriptor, 4096, 0))
        return f"{signed['holder']} (process {int(signed['pid'])})"
    return "another outpace"
