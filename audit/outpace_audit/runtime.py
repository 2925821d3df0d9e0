"""The folders of one user for all projects: in which processes find each other, and of what is kept of the machine."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

from outpace_audit.errors import EnvironmentMissing


def runtime_folder() -> Path:
    """For locks and sockets: this user's, and nobody else's, since a name in /tmp may have been taken by somebody.

    Raises EnvironmentMissing where there is none.
    """
    wanted = [os.environ.get("XDG_RUNTIME_DIR"), f"/run/user/{os.getuid()}"]
    for name in wanted:
        if name and os.access(name, os.W_OK | os.X_OK):
            folder = Path(name) / "outpace"
            break
    else:
        folder = Path(tempfile.gettempdir()) / f"outpace-{os.getuid()}"
    try:
        folder.mkdir(mode=0o700, exist_ok=True)
        status = folder.lstat()
    except OSError as error:
        raise EnvironmentMissing(f"{folder}: {error.strerror}: set XDG_RUNTIME_DIR to a folder of your own") from error
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid():
        raise EnvironmentMissing(f"{folder} belongs to somebody else: set XDG_RUNTIME_DIR to a folder of your own")
    return folder


def cache_folder() -> Path:
    """As the XDG base directories have it; it need not exist."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser()) / "outpace"
