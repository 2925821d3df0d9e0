"""Starts the engine of a workspace where none is running."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
from pathlib import Path

from outpace_audit.errors import EngineError
from outpace_optimizers.engine.address import LOG, socket_of
from outpace_optimizers.engine.protocol import PROTOCOL, decode, error_from_json
from outpace_optimizers.workspace import Workspace

LOG_BYTES = 1 << 20
"""A log that has grown beyond this is begun anew."""
START_S = 20.0
"""For an engine to listen: it takes half a second on an idle machine."""
PAUSES_S = (0.05, 0.8)
"""Between two tries, the first and the longest: each try is a process that may find another one starting, or ending."""


def connect(workspace: Workspace) -> socket.socket:
    """A connection to the engine of a workspace, which is started first if there is none. It has said its hello.

    Raises EngineError, or what kept the engine from starting.
    """
    address = socket_of(workspace.state)
    deadline = time.monotonic() + START_S
    pause, longest = PAUSES_S
    while (connection := connected(address)) is None:
        if time.monotonic() > deadline:
            raise EngineError(
                f"no engine answers at {address}: see {workspace.state / LOG}; "
                "a stuck one can be killed, it loses nothing but the trial in flight"
            )
        if not _start(workspace):
            time.sleep(pause)
            pause = min(2 * pause, longest)
    return connection


def connected(address: Path) -> socket.socket | None:
    """None where nobody listens, or somebody who ends before a word is said."""
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(str(address))
        _check_hello(_first_line(connection))
    except (FileNotFoundError, ConnectionError):
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection


def _first_line(connection: socket.socket) -> bytes:
    """Byte by byte, since what follows is for somebody else."""
    line = b""
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            raise ConnectionResetError("it ended")
        line += byte
    return line


def _check_hello(line: bytes) -> None:
    hello = decode(line).get("hello", {})
    if hello.get("protocol") != PROTOCOL:
        raise EngineError(
            f"the engine of this workspace (process {hello.get('pid')}) was started by another version of outpace: "
            "close the editor that uses it, or kill it"
        )


def _start(workspace: Workspace) -> bool:
    """False where another engine holds the workspace. Raises what the new engine says that it lacks."""
    workspace.prepare()
    path = workspace.state / LOG
    with contextlib.suppress(FileNotFoundError):  # another one that starts an engine has begun it anew
        if path.stat().st_size > LOG_BYTES:
            path.unlink()
    with path.open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "outpace_optimizers.engine", str(workspace.state)],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, cwd="/",
            start_new_session=True,  # Ctrl-C in a terminal is for its command alone
        )  # fmt: skip
    assert process.stdout is not None, "opened with a pipe"
    with process.stdout as said:
        line = said.readline()
    if not line:
        raise EngineError(f"the engine ended while it started (status {process.wait()}): see {path}")
    message = decode(line)
    if "error" in message:
        process.wait()
        raise error_from_json(message["error"])
    return bool(message["ready"])
