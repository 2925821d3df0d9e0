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


class DeviceBusy(Exception):  # noqa: N818  # nothing went wrong
    """Another has the lease, and who asked does not wait."""


@contextmanager
def device_lease(machine: Machine, holder: str, tell: Callable[[str], None] | None) -> Generator[Callable[[str], None]]:
    """Holds the device of `machine` for one measurement. `holder` is what others are told; `tell` hears whom we await.
    Yields what to call with a reason while the holder itself waits, and with nothing when it goes on.

    Leases are shared between all processes of one user; other users' work is noticed as a load, not waited for.
    Raises EnvironmentMissing where no lock file can be made, and DeviceBusy instead of waiting where `tell` is None.
    """
    path = runtime_folder() / f"{machine.device}-{hashlib.sha256(machine.uuid.encode()).hexdigest()[:16]}.lease"
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise EnvironmentMissing(f"{path}: {error.strerror}: set XDG_RUNTIME_DIR to a folder of your own") from error
    try:
        _lock(descriptor, tell)
        _sign(descriptor, holder)
        yield lambda waiting: _sign(descriptor, holder, waiting)
    finally:
        os.close(descriptor)


def _lock(descriptor: int, tell: Callable[[str], None] | None) -> None:
    told = ""
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError as error:
            if tell is None:
                raise DeviceBusy from error
            waiting_for = _holder(descriptor)
            if waiting_for != told:
                told = waiting_for
                tell(f"waiting for the device: {told}")
            time.sleep(POLL_S)


def _sign(descriptor: int, holder: str, waiting: str = "") -> None:
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps({"pid": os.getpid(), "holder": holder, "waiting": waiting}).encode(), 0)


def _holder(descriptor: int) -> str:
    with contextlib.suppress(ValueError, KeyError, TypeError):
        signed = json.loads(os.pread(descriptor, 4096, 0))
        who = f"{signed['holder']} (process {int(signed['pid'])})"
        return f"{who} has it, and is {signed['waiting']}" if signed.get("waiting") else f"{who} is measuring on it"
    return "another outpace is measuring on it"
