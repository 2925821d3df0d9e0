"""Errors of the operating system in one line: what failed, and what the user can do."""

from __future__ import annotations

import errno

from outpace_server.output.words import one_line

ADVICE = {
    errno.ENOSPC: "the disk is full; free some space, or point TMPDIR at another disk",
    errno.EDQUOT: "the disk quota is used up; free some space",
    errno.EROFS: "the file system is read-only; run outpace on a writable copy",
    errno.EACCES: "no permission; check the owner and mode of the file and its folder",
    errno.EPERM: "not permitted; check the owner and mode of the file and its folder",
    errno.EMFILE: "too many open files; raise the limit with ulimit -n",
    errno.ENOMEM: "out of memory; close other programs or choose a smaller target",
    errno.ENOENT: "no such file or folder",
    errno.ENOTDIR: "a part of the path is not a folder",
    errno.EISDIR: "is a folder, not a file",
    errno.ENAMETOOLONG: "the file name is too long",
}


def explain_os_error(error: OSError) -> str:
    where = f"{error.filename}: " if error.filename else ""
    advice = ADVICE.get(error.errno or 0)
    return f"{where}{advice or error.strerror or error}"


def explain(error: Exception) -> str:
    return explain_os_error(error) if isinstance(error, OSError) else one_line(str(error))
