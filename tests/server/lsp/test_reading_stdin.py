"""What the editor says is read by the event loop, whatever it comes through, and whatever it is."""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
from pathlib import Path
from typing import BinaryIO

import pytest
from wire import COMMAND, Wire, framed

from outpace_server.lsp.reading import LoopReader, reader_of
from outpace_server.lsp.server import OutpaceServer

ENDS_S = 20.0
LONG = "long" * 250_000
HOVER = {"textDocument": {"uri": "file:///x.py"}, "position": {"line": 0, "character": 0}}


def asked(id: str) -> bytes:
    return framed(json.dumps({"jsonrpc": "2.0", "id": id, "method": "nothing"}).encode())


async def _reader_of(given: BinaryIO, answers: BinaryIO) -> object:
    return await reader_of(given, answers, OutpaceServer().thread_pool)


def test_a_pipe_is_read_without_a_thread_and_a_file_with_one(tmp_path: Path) -> None:
    (given, ask), (hear, answers) = os.pipe(), os.pipe()
    (tmp_path / "said").write_bytes(asked("it"))
    with os.fdopen(given, "rb") as pipe, os.fdopen(answers, "wb") as out, (tmp_path / "said").open("rb") as file:
        assert isinstance(asyncio.run(_reader_of(pipe, out)), LoopReader)
        assert not isinstance(asyncio.run(_reader_of(file, out)), LoopReader)
    os.close(ask)
    os.close(hear)


def test_an_answer_is_whole_where_both_ways_are_one_socket() -> None:
    """As under socat and inetd: did it not block when read, a long answer would be cut where the editor is slow."""
    ours, theirs = socket.socketpair()
    with ours, subprocess.Popen(COMMAND, stdin=theirs, stdout=theirs) as server:
        theirs.close()
        ours.sendall(asked(LONG))
        ours.shutdown(socket.SHUT_WR)
        with ours.makefile("rb") as said:
            head = [said.readline(), said.readline(), said.readline()]
            body = said.read(int(head[0].split()[1]))
        assert json.loads(body)["id"] == LONG
        server.wait(ENDS_S)


@pytest.mark.parametrize(
    "said",
    [b"x" * (3 << 20) + b"\r\n", b"\r\n" * 1000, b"Content-Length: 5\r\n\r\nhello", framed(b"{" * 100)],
    ids=["a line longer than any header", "empty lines", "no JSON", "no end"],
)
def test_what_is_no_message_is_gone_over(tmp_path: Path, said: bytes) -> None:
    wire = Wire()
    wire.initialize(tmp_path, {})
    wire.write(said)
    assert "error" not in wire.ask("textDocument/hover", HOVER, "alive")
    wire.close()


def test_an_editor_that_leaves_in_the_midst_of_a_message_ends_the_server(tmp_path: Path) -> None:
    wire = Wire()
    wire.initialize(tmp_path, {})
    wire.write(asked("cut")[:-5])
    wire.hang_up()
    assert wire.process.wait(ENDS_S) == 0
    assert not [answer for answer in wire.answers if answer["id"] == "cut"]


def test_what_is_due_has_its_turn_between_the_messages_of_a_flood() -> None:
    """All of them are in the pipe already."""

    async def read() -> list[str]:
        stream, order = asyncio.StreamReader(), list[str]()
        stream.feed_data(b"one\ntwo\n")
        reader = LoopReader(stream)
        asyncio.get_running_loop().call_soon(order.append, "due")
        for _ in range(2):
            order.append((await reader.readexactly(4)).decode().strip())
        return order

    assert asyncio.run(read()) == ["due", "one", "two"]
