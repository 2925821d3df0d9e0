"""Compile caches outlive the arms that fill them, and an arm may be killed in the middle of a compilation."""

from __future__ import annotations

import os
import stat
import struct
from pathlib import Path

_LOCK = "lock"
"""As torch's builder of extensions calls it, in the folder of each."""
_HEADER = 64
"""Bytes of the header of a 64-bit ELF file."""


def drop_half_written(cache: Path) -> None:
    """Removes shared objects whose linker was killed: inductor takes any that is there for a whole one, and a candidate
    would fail for good; and the locks of builders that were, which torch would wait for without end. Arms may write
    here, so no link is followed and nothing but a plain file is opened."""
    for _, _, names, folder in os.fwalk(cache, follow_symlinks=False):
        for name in names:
            if name == _LOCK or (name.endswith(".so") and not _is_whole(name, folder)):
                os.unlink(name, dir_fd=folder)


def _is_whole(name: str, folder: int) -> bool:
    """Whether the file reaches to the end of its table of sections, which linkers write last."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=folder)
    except OSError:  # a link, or not ours
        return True
    try:
        about, head = os.fstat(file), os.read(file, _HEADER)
    except OSError:
        return True
    finally:
        os.close(file)
    if not stat.S_ISREG(about.st_mode):
        return True
    if len(head) < _HEADER or not head.startswith(b"\x7fELF"):
        return False
    (table,) = struct.unpack_from("<Q", head, 40)
    entry, count = struct.unpack_from("<HH", head, 58)
    return bool(table + entry * count <= about.st_size)
