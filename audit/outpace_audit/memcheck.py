"""An arm whose GPU kernels run under NVIDIA's compute-sanitizer: the walls are up, and the process becomes the tool,
which starts the arm below itself. Every tensor then has an allocation of its own, so that its last byte is a border."""

from __future__ import annotations

import json
import os
import shutil
import socket
import sys
from pathlib import Path

from outpace_audit.arm import serve
from outpace_audit.channel import Channel
from outpace_audit.zygote import forget_working_directory

ENTRY = "outpace_audit.memcheck:become_watched"
PROGRAM = "compute-sanitizer"
FOUND = 86
"""The tool's exit status where it saw errors: no program's own."""
PADDING = 1024
"""Bytes behind each allocation that are nobody's: cudaMalloc's blocks lie next to each other, and a kernel that reads a
row too far would be in the next one."""
USUAL = ("/usr/local/cuda/bin", "/opt/cuda/bin")


def program() -> str | None:
    """Where the tool is, or None: on the path, beside CUDA_HOME, or where NVIDIA's packages put it."""
    homes = [os.environ[name] for name in ("CUDA_HOME", "CUDA_PATH") if os.environ.get(name)]
    places = [os.environ.get("PATH", os.defpath), *(str(Path(home, "bin")) for home in homes), *USUAL]
    return shutil.which(PROGRAM, path=os.pathsep.join(places))


def become_watched(channel: Channel, shared_fd: int, protections: tuple[str, ...]) -> None:
    """Does not return where the tool is there; its report goes where the arm prints."""
    found = program()
    if found is None:
        raise FileNotFoundError(f"{PROGRAM} is not on this machine")
    numbers = (channel.fileno(), shared_fd)
    for number in numbers:
        os.set_inheritable(number, True)
    os.environ["PYTORCH_NO_CUDA_MEMORY_CACHING"] = "1"
    options = ["--tool=memcheck", f"--error-exitcode={FOUND}", f"--padding={PADDING}", "--report-api-errors=no"]
    arm = [sys.executable, "-m", "outpace_audit.memcheck", *map(str, numbers), json.dumps(protections)]
    os.execv(found, [found, *options, *arm])


if __name__ == "__main__":
    forget_working_directory()
    serve(Channel(socket.socket(fileno=int(sys.argv[1]))), int(sys.argv[2]), tuple(json.loads(sys.argv[3])))
