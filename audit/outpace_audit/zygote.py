"""A process that has imported torch and done nothing with it, and forks an arm on request.

A fork after any parallel operation hangs in OpenMP, and a fork after CUDA was touched cannot use the GPU: so
the parent runs no operation at all, and each child proves itself with one before it is trusted.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import json
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

from outpace_audit import headers, sandbox
from outpace_audit.channel import Channel
from outpace_audit.errors import OutpaceError

REQUEST_CAP = 1 << 17
"""Bytes of one request, environment included: below the default size of a socket's buffer."""

DESCRIPTORS = 4
"""Channel, shared memory, control socket, log file: in this order."""

SELF_TEST_SECONDS = 15
"""A sound child needs milliseconds; a hanging one would take for ever. The rest is for loaded machines."""


def main(number: int) -> None:
    """Serves requests until the judge hangs up."""
    os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "1"
    sandbox.make_undumpable()
    # Nobody waits for the children: their waiters report to the judge.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    import torch

    with contextlib.suppress(Exception):  # not for every Python has torch a compiler
        # The oracle's lifted calls import it, and most other calls the half of it: seconds in every arm.
        import torch._dynamo  # pyright: ignore[reportUnusedImport]
    judge = socket.socket(fileno=number)
    gc.collect()
    gc.freeze()  # A collection in a child would copy every page that the zygote shares with it.
    threads = len(list(Path("/proc/self/task").iterdir()))
    judge.send(json.dumps({"torch": torch.__version__, "threads": threads}).encode())
    while _serve_one(judge):
        pass


def _serve_one(judge: socket.socket) -> bool:
    data, descriptors, flags, _ = socket.recv_fds(judge, REQUEST_CAP, DESCRIPTORS)
    if not data:
        return False
    if flags & (socket.MSG_TRUNC | socket.MSG_CTRUNC) or len(descriptors) != DESCRIPTORS:
        judge.send(json.dumps({"error": "a truncated request"}).encode())
        return True
    request = json.loads(data)
    if request.get("compiles"):
        _import_compiler()
    pid = os.fork()
    if pid == 0:
        judge.close()
        run_arm(request, descriptors)
    for fd in descriptors:
        os.close(fd)
    judge.send(json.dumps({"waiter": pid}).encode())
    return True


@functools.cache
def _import_compiler() -> None:
    """What `@torch.compile` imports takes seconds in every arm that meets it, and no time here after the first. Nothing
    is compiled: that would start threads."""
    import torch

    with contextlib.suppress(Exception):  # the arm will say it better
        torch.compile(lambda x: x)


def run_arm(request: Mapping[str, Any], descriptors: list[int]) -> NoReturn:
    """Becomes the arm that `request` describes, in this process's grandchild, and ends with it."""
    channel_fd, shared, control, log = descriptors
    code = 1
    try:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        spec = sandbox.SandboxSpec.from_json(request["sandbox"])
        os.environ.update(request["env"])
        channel = Channel(socket.socket(fileno=channel_fd))
        _begin(request, channel, spec, (channel_fd, shared, control, log))
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:
        traceback.print_exc()
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code & 0xFF)


def _begin(
    request: Mapping[str, Any], channel: Channel, spec: sandbox.SandboxSpec, fds: tuple[int, int, int, int]
) -> None:
    channel_fd, shared, control, log = fds
    try:
        protections = sandbox.enter(spec, control=control, log=log, keep=(channel_fd, shared))
        if "private-tmp" not in protections:
            _use_scratch(request["scratch"])
        elif request["headers"]:
            headers.offer(Path(request["headers"]))
        seconds = _prove(int(request["self_test_seconds"]))
    except (OutpaceError, OSError, ImportError) as error:
        traceback.print_exc()
        channel.send({"failed": f"{type(error).__name__}: {error}", "final": isinstance(error, OutpaceError)})
        raise SystemExit(71) from None
    channel.send({"ready": list(protections), "self_test_s": seconds})
    module, _, function = str(request["entry"]).partition(":")
    getattr(importlib.import_module(module), function)(channel, shared, protections)


def _use_scratch(path: str) -> None:
    Path(path).mkdir(exist_ok=True)
    os.environ["HOME"] = os.environ["TMPDIR"] = path
    os.chdir(path)


def _prove(limit: int) -> float:
    """Seconds that one parallel operation took. Where it hangs, the alarm ends the process."""
    import torch

    started = time.monotonic()
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(limit)
    numbers = torch.ones(1 << 20)
    if float(numbers.sum()) != 1 << 20 or float((torch.ones(128, 128) @ torch.ones(128, 128))[0, 0]) != 128:
        raise OSError(0, "a parallel operation gave a wrong result")
    signal.alarm(0)
    return time.monotonic() - started


def forget_working_directory() -> None:
    """`python -m` puts it first on the path, where a file could pass for a module."""
    if sys.path and sys.path[0] in ("", str(Path.cwd())):
        del sys.path[0]


if __name__ == "__main__":
    forget_working_directory()
    main(int(sys.argv[1]))
