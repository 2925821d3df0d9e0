"""A process's own folder under the temporary one, which goes with it, however it ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
import time
from pathlib import Path

PREFIX = "outpace-work-"
STALE_SECONDS = 60.0
"""Longer than from making a folder to locking it."""


class WorkDirectory:
    """`path` holds this package alone: its real parent may be another interpreter's site-packages.

    `empty` is where processes start, so that no file beside the user's script passes for a module.
    """

    def __init__(self) -> None:
        """Removes what killed processes left, too."""
        _sweep()
        self.folder = Path(tempfile.mkdtemp(prefix=PREFIX))
        self._descriptor = _lock(self.folder)
        self.path = self.folder / "path"
        self.empty = self.folder / "empty"
        self.path.mkdir()
        (self.path / "outpace_audit").symlink_to(Path(__file__).resolve().parent)
        self.empty.mkdir(mode=0o555)

    def remove(self) -> None:
        """Idempotent."""
        if self._descriptor >= 0:
            shutil.rmtree(self.folder, ignore_errors=True)
            os.close(self._descriptor)
            self._descriptor = -1


def _sweep() -> None:
    """A living process's is younger, or locked."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            status = path.lstat()
            if status.st_uid == os.getuid() and time.time() - status.st_ctime > STALE_SECONDS:
                os.close(_lock(path))
                shutil.rmtree(path, ignore_errors=True)


def _lock(path: Path) -> int:
    """A descriptor that holds the folder's lock while it is open; BlockingIOError where another does."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
