"""Becomes the user's command, behind an arm's walls, with a tree of its own at the project's own path.

Started by process.py as a program. What the command writes to the tree goes to an overlay's upper folder, or to a copy
that is bound over the project where the kernel allows it. The project itself is not written to.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from outpace_audit import sandbox, syscalls
from outpace_audit.channel import Channel
from outpace_audit.errors import OutpaceError

DESCRIPTORS = 5
"""Channel, shared memory (unused), control socket, log file: those of an arm. Then the pipe for what it prints."""


def main(request: Mapping[str, Any], descriptors: list[int]) -> None:
    channel_fd, shared, control, log, output = descriptors
    channel = Channel(socket.socket(fileno=channel_fd))
    try:
        place = _place_tree(request)
        spec = sandbox.SandboxSpec.from_json({**request["sandbox"], "writable": [place]})
        protections = sandbox.enter(spec, control=control, log=log, keep=(channel_fd, shared, output))
        os.chdir(place)
        channel.send({"ready": list(protections), "place": place})
        _become(request, _places(request, protections), channel_fd, shared, output)
    except (OutpaceError, OSError) as error:
        traceback.print_exc()
        text = error.strerror if isinstance(error, OSError) else None
        channel.send({"failed": text or str(error), "final": isinstance(error, OutpaceError)})
    except NoOverlay as error:
        channel.send({"failed": str(error), "no_overlay": True})


class NoOverlay(Exception):  # noqa: N818  # no fault: the tree is copied then
    """The kernel, or the file system below, refuses an overlay."""


def _place_tree(request: Mapping[str, Any]) -> str:
    """Where the run's tree is to be found."""
    root = str(request["root"])
    try:
        _new_namespaces()
        if request["copy"]:
            _bind_copy(root, str(request["copy"]), str(request["kept"]))
        else:
            options = ",".join(f"{name}={_escaped(request[name])}" for name in ("lowerdir", "upperdir", "workdir"))
            syscalls.mount("overlay", root, "overlay", syscalls.MS_NOSUID | syscalls.MS_NODEV, f"{options},userxattr")
    except OSError as error:
        if not request["copy"]:
            raise NoOverlay(str(error)) from error
        return str(request["copy"])
    for path in request["removed"]:
        Path(root, path).unlink(missing_ok=True)
    return root


def _bind_copy(root: str, copy: str, kept: str) -> None:
    """`kept`: a folder in `root` that is not in the copy and is needed, or nothing: the one with the interpreter."""
    flags = syscalls.MS_BIND | syscalls.MS_REC
    held = os.open(Path(root, kept), os.O_PATH) if kept else -1
    syscalls.mount(copy, root, None, flags)
    if kept:
        Path(root, kept).mkdir(exist_ok=True)
        syscalls.mount(f"/proc/self/fd/{held}", str(Path(root, kept)), None, flags)
        os.close(held)


def _new_namespaces() -> None:
    uid, gid = os.geteuid(), os.getegid()
    syscalls.unshare(syscalls.CLONE_NEWUSER | syscalls.CLONE_NEWNS)
    Path("/proc/self/setgroups").write_text("deny")
    Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
    Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    syscalls.mount(None, "/", None, syscalls.MS_REC | syscalls.MS_PRIVATE)


def _escaped(path: str) -> str:
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def _places(request: Mapping[str, Any], protections: tuple[str, ...]) -> dict[str, str]:
    """Where a run that has no /tmp of its own keeps what it does not write into its tree."""
    return {} if "private-tmp" in protections else {"HOME": request["scratch"], "TMPDIR": request["scratch"]}


def _become(request: Mapping[str, Any], places: dict[str, str], channel_fd: int, shared: int, output: int) -> None:
    """Does not return. The channel closes when the command has begun."""
    for fd in (channel_fd, shared):
        os.set_inheritable(fd, False)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(output)
    command, environ = list(request["command"]), {**request["environ"], **places}
    try:
        os.execvpe(command[0], command, environ)
    except OSError as error:
        raise OSError(error.errno, f"{command[0]}: {error.strerror}") from None


if __name__ == "__main__":
    main(json.load(sys.stdin), [int(number) for number in sys.argv[1:]])
