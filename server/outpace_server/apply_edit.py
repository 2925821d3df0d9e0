"""Writing an accepted edit: whole or not at all, and only over the text that was audited."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path

from outpace_audit.errors import SourceError
from outpace_audit.records import Code, Patch
from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.targets.source_text import SourceText, decode_source, read_source


def apply_patch(path: Path, audited: Code, patch: Patch) -> str:
    """Put the edit into the user's file; says what it did."""
    real = path.resolve()
    refuse_notebook(real)
    now = read_source(real)
    if not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(real))
    _check_unchanged(now, audited, path)

    def unchanged_still() -> None:
        _check_unchanged(decode_source(real.read_bytes(), str(real)), audited, path)

    write_atomically(real, now.encode_edit(patch.new_source), before_rename=unchanged_still)
    return f"applied to {path}: {', '.join(span.qualname for span in patch.spans)} changed"


def write_new_source(path: Path, audited: Code, patch: Patch) -> str:
    """The edited source as a file of its own, in the encoding of the audited one where that is known."""
    refuse_notebook(path)
    original = Path(audited.path)
    style = read_source(original) if original.is_file() else SourceText(audited.source, "utf-8", has_bom=False)
    write_atomically(path.resolve(), style.encode_edit(patch.new_source))
    return f"new source written to {path}"


def refuse_notebook(path: Path) -> None:
    if path.suffix == SUFFIX:
        raise SourceError(f"{path}: cells are changed in an editor; --output FILE.py writes them as one changed module")


def write_atomically(path: Path, data: bytes, before_rename: Callable[[], None] | None = None) -> None:
    """Temporary file beside `path`, flushed to the disk, then renamed over it; mode and owner are kept."""
    number, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:64]}.", suffix=".outpace")
    temporary = Path(name)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            _copy_mode(path, file.fileno())
            file.flush()
            os.fsync(file.fileno())
        if before_rename is not None:
            before_rename()
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _flush_folder(path.parent)


def _check_unchanged(now: SourceText, audited: Code, path: Path) -> None:
    if now.text != audited.source:
        raise SourceError(f"{path}: changed since it was audited, so nothing was written; run optimize again")


def _copy_mode(path: Path, descriptor: int) -> None:
    try:
        status = path.stat()
    except FileNotFoundError:
        umask = os.umask(0)
        os.umask(umask)
        os.fchmod(descriptor, 0o666 & ~umask)
        return
    with contextlib.suppress(PermissionError):
        os.fchown(descriptor, status.st_uid, status.st_gid)
    os.fchmod(descriptor, stat.S_IMODE(status.st_mode))


def _flush_folder(folder: Path) -> None:
    """Makes the rename itself durable; some file systems refuse, and then it is as durable as it gets."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
