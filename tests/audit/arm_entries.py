"""What the tests' arms run. A probe does one thing that a hostile arm might try and says how it went.

The tests run the probes in their own process too: what a wall stops there must succeed, or the test proves
nothing.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import mmap
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from outpace_audit import syscalls
from outpace_audit.channel import Channel

PTRACE_ATTACH, PTRACE_DETACH = 16, 17


def serve(channel: Channel, shared: int, protections: tuple[str, ...]) -> None:
    """Answers {"do": probe, "with": [...]} with {"did": ...}; an OSError is answered by the name of its
    errno."""
    memory = mmap.mmap(shared, 0)
    while True:
        message = channel.recv(60.0)
        if message["do"] == "echo":
            channel.send(message)
            continue
        arguments = message.get("with", [])
        if message["do"] in NEEDS_MEMORY:
            arguments = [memory, *arguments]
        channel.send({"did": attempt(PROBES[message["do"]], *arguments)})


def die_at_once(channel: Channel, shared: int, protections: tuple[str, ...]) -> None:
    os._exit(3)


def attempt(probe: Callable[..., Any], *arguments: Any) -> Any:
    try:
        return probe(*arguments)
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, str(error))


def write(path: str) -> str:
    Path(path).write_text("changed")
    return "ok"


def read(path: str) -> str:
    return Path(path).read_text()


def listing(path: str) -> list[str]:
    return sorted(entry.name for entry in Path(path).iterdir())


def connect(port: int) -> str:
    socket.create_connection(("127.0.0.1", port), 2.0).close()
    return "ok"


def connect_to_itself() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return connect(server.getsockname()[1])


def connect_path(path: str) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.connect(path)
    return "ok"


def poke(pid: int) -> str:
    os.kill(pid, 0)
    return "ok"


def attach(pid: int) -> str:
    libc = ctypes.CDLL(None, use_errno=True)
    zero = ctypes.c_void_p(0)
    if libc.ptrace(ctypes.c_long(PTRACE_ATTACH), ctypes.c_int(pid), zero, zero) < 0:
        raise OSError(ctypes.get_errno(), "ptrace")
    os.waitpid(pid, 0)
    libc.ptrace(ctypes.c_long(PTRACE_DETACH), ctypes.c_int(pid), zero, zero)
    return "ok"


def read_memory(pid: int, address: int) -> str:
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        memory.seek(address)
        return memory.read(6).decode()


def bomb(limit: int) -> int:
    """How many processes could be started, at most `limit`."""
    children: list[int] = []
    with contextlib.suppress(OSError):
        while len(children) < limit:
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            children.append(pid)
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    return len(children)


def fill(directory: str, limit: int) -> int:
    """How many bytes could be written, at most `limit`."""
    written = 0
    with contextlib.suppress(OSError), (Path(directory) / "filler").open("wb", buffering=0) as file:
        while written < limit:
            written += file.write(bytes(1 << 20))
    return written


def orphan(memory: mmap.mmap) -> str:
    """A grandchild in its own session, which counts in the shared memory as long as it lives."""
    if os.fork() == 0:
        os.setsid()
        if os.fork():
            os._exit(0)
        beats = 0
        while True:
            beats += 1
            memory[:8] = struct.pack("<q", beats)
            time.sleep(0.001)
    os.wait()
    return "ok"


def shrink(memory: mmap.mmap) -> str:
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            if "memfd" in str(Path(f"/proc/self/fd/{name}").readlink()):
                os.ftruncate(int(name), 0)
                return "ok"
    return "refused"


def put(memory: mmap.mmap, text: str) -> str:
    memory[: len(text)] = text.encode()
    return "ok"


def descriptors() -> list[str]:
    """Of this process, but for the one that the listing itself takes."""
    targets: list[str] = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            targets.append(str(Path(f"/proc/self/fd/{name}").readlink()))
    return sorted(targets)


def socket_numbers() -> list[int]:
    numbers: list[int] = []
    for name in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with contextlib.suppress(OSError):
            if str(Path(f"/proc/self/fd/{name}").readlink()).startswith("socket:"):
                numbers.append(int(name))
    return numbers


def environment() -> dict[str, str]:
    return dict(os.environ)


def situation() -> dict[str, Any]:
    return {"cwd": str(Path.cwd()), "path": sys.path, "uid": os.getuid(), "pid": os.getpid()}


def parallel() -> float:
    import torch

    torch.set_num_threads(2)
    return float(torch.ones(1 << 22).sum())


def nested_namespace() -> str:
    pid = os.fork()
    if pid == 0:
        try:
            syscalls.unshare(syscalls.CLONE_NEWUSER)
        except OSError as error:
            os._exit(error.errno or 1)
        os._exit(0)
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    return errno.errorcode.get(code, "ok")


def remount(path: str) -> str:
    syscalls.mount(None, path, None, syscalls.MS_REMOUNT | syscalls.MS_BIND)
    return "ok"


def open_for_writing(path: str) -> str:
    os.close(os.open(path, os.O_WRONLY))
    return "ok"


def end(how: str) -> None:
    if how == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    elif how == "abort":
        os.abort()
    elif how == "memory":
        raise MemoryError
    elif how == "hang":
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        while True:
            time.sleep(60)
    else:
        sys.exit(int(how))


def chatter(megabytes: int) -> str:
    for _ in range(megabytes << 4):
        os.write(1, b"x" * (1 << 16))
    os.write(2, b"the last words")
    return "ok"


def send_raw(fd: int, data: str) -> str:
    os.write(fd, bytes.fromhex(data))
    return "ok"


NEEDS_MEMORY = {"orphan", "shrink", "put"}
PROBES: dict[str, Callable[..., Any]] = {
    probe.__name__: probe
    for probe in (
        write, read, listing, connect, connect_to_itself, connect_path, poke, attach, read_memory, bomb, fill,
        orphan, shrink, put, descriptors, socket_numbers, environment, situation, parallel, nested_namespace, remount,
        open_for_writing, end, chatter, send_raw,
    )
}  # fmt: skip
