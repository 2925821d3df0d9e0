"""Background work of a workspace, paused until it is told to go on: a file in the state folder, which outlives engines
and machines that are started anew."""

from __future__ import annotations

import contextlib
from pathlib import Path

from outpace_optimizers.engine.address import socket_of
from outpace_optimizers.engine.protocol import decode, encode
from outpace_optimizers.engine.starting import connected
from outpace_optimizers.workspace import Workspace, write_atomically

FILE = "paused"
PAUSED = "paused: `outpace resume` goes on"


def is_paused(state: Path) -> bool:
    return (state / FILE).exists()


def pause(workspace: Workspace) -> None:
    """The trial that is under way is finished first."""
    workspace.prepare()
    write_atomically(workspace.state / FILE, "")
    _tell_engine(workspace)


def resume(workspace: Workspace) -> bool:
    """False where nothing was paused."""
    paused = is_paused(workspace.state)
    (workspace.state / FILE).unlink(missing_ok=True)
    _tell_engine(workspace)
    return paused


def _tell_engine(workspace: Workspace) -> None:
    """If there is one: the next one finds the file."""
    connection = connected(socket_of(workspace.state))
    if connection is None:
        return
    with contextlib.suppress(ConnectionError), connection, connection.makefile("rb") as lines:
        connection.sendall(encode({"id": 1, "op": "hold"}))
        decode(lines.readline() or b"{}")
