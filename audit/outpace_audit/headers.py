"""The C++ headers that torch.compile precompiles on the CPU: made once by an arm without user code, read by the others.

Inductor keeps them in the temporary folder, whatever TORCHINDUCTOR_CACHE_DIR says (torch/_inductor/codecache.py), and
each arm has one of its own: every process of a compiled candidate would run the C++ compiler over them again.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from outpace_audit.channel import Channel
from outpace_audit.errors import JudgeError, OutpaceError
from outpace_audit.records import Machine, content_id
from outpace_audit.runtime import cache_folder

ENTRY = "outpace_audit.headers:serve"
UNUSED_S = 30 * 24 * 3600.0
"""After this long a compiler's or torch version's headers, 150 MB each, make room for another's."""


def kept_headers(machine: Machine, python: str, make: Callable[[Path], None]) -> Path | None:
    """This machine's headers for the torch that is installed here, whose place they name. Where there are none yet,
    `make` writes them into the folder it is given; None where that failed, or where there is no compiler: arms do
    without."""
    import torch

    compiler = shutil.which(os.environ.get("CXX", "g++"))
    if machine.device != "cpu" or compiler is None:
        return None
    program = Path(compiler).resolve()
    installed = Path(torch.__file__).stat().st_mtime_ns  # what another installation had there is of no use
    key = content_id(machine.torch, python, installed, machine.cpu, str(program), program.stat().st_mtime_ns)
    kept = cache_folder() / "headers" / key
    try:
        if not kept.is_dir():
            kept.parent.mkdir(parents=True, exist_ok=True)
            _remove_unused(kept.parent)
            with tempfile.TemporaryDirectory(dir=kept.parent) as making:
                make(Path(making))
                _publish(Path(making), kept)
    except (OSError, OutpaceError):
        return None
    with contextlib.suppress(OSError):  # read-only, maybe
        os.utime(kept)
    return kept


def offer(kept: Path) -> None:
    """In an arm with a temporary folder of its own: inductor finds what is kept there, and may add to it."""
    place = _inductors_place()
    for file in (one for one in kept.rglob("*") if one.is_file()):
        link = place / file.relative_to(kept)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)


def serve(channel: Channel, shared: int, protections: tuple[str, ...]) -> None:
    """The arm that makes them: compiles one small function with the folder that the judge names in inductor's place."""
    import torch

    place = _inductors_place()
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(channel.recv(60.0)["folder"])
    torch.compile(lambda x: x.sin() + 1)(torch.ones(64))
    channel.send({"ok": {}})


def _publish(made: Path, kept: Path) -> None:
    """Raises JudgeError where nothing was made: this torch precompiles no headers."""
    shutil.rmtree(made / "locks", ignore_errors=True)
    if not any(made.iterdir()):
        raise JudgeError("no header was precompiled")
    made.chmod(0o755)
    with contextlib.suppress(OSError):  # another judge was faster
        made.rename(kept)
    made.mkdir(exist_ok=True)


def _remove_unused(folder: Path) -> None:
    for one in folder.iterdir():
        if time.time() - one.stat().st_mtime > UNUSED_S:
            shutil.rmtree(one, ignore_errors=True)


def _inductors_place() -> Path:
    user = re.sub(r'[\\/:*?"<>|]', "_", getpass.getuser())
    return Path(tempfile.gettempdir()) / f"torchinductor_{user}" / "precompiled_headers"
