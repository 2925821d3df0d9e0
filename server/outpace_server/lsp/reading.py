"""What the editor says, read by the event loop itself.

pygls (2.1.1) reads in a thread, and hands each line of each message over from it: three times for a message that two
threads have to be woken, which is what an answer waits for longest where others keep the processors busy.
"""

from __future__ import annotations

import asyncio
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, BinaryIO

from pygls.io_ import StdinAsyncReader

if TYPE_CHECKING:
    from pygls.io_ import AsyncReader

AT_ONCE = 1 << 20
"""Bytes that are taken from the pipe before they are asked for: a long file, opened."""


class LoopReader:
    """Of a pipe or socket. One message at a time: what else is due has its turn between two."""

    def __init__(self, stream: asyncio.StreamReader) -> None:
        self._stream = stream

    async def readline(self) -> bytes:
        try:
            return await self._stream.readline()
        except ValueError:
            return b"no header\n"  # longer than any, and gone over

    async def readexactly(self, n: int) -> bytes:
        """Fewer where the editor has left in the midst of a message."""
        await asyncio.sleep(0)
        try:
            return await self._stream.readexactly(n)
        except asyncio.IncompleteReadError as error:
            return error.partial


async def reader_of(given: BinaryIO, answers: BinaryIO, threads: ThreadPoolExecutor) -> AsyncReader:
    """By a thread where a file or a terminal is read, for which a loop cannot wait, and where answers go the same way:
    what does not block when it is read would not when it is written, and lose half of a message."""
    if not _is_pipe(given) or _is_same(given, answers):
        return StdinAsyncReader(given, threads)
    loop, stream = asyncio.get_running_loop(), asyncio.StreamReader(AT_ONCE)
    unbuffered = open(given.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115 - to the end of the process
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(stream), unbuffered)
    return LoopReader(stream)


def _is_pipe(file: BinaryIO) -> bool:
    mode = os.fstat(file.fileno()).st_mode
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)


def _is_same(one: BinaryIO, other: BinaryIO) -> bool:
    return os.path.sameopenfile(one.fileno(), other.fileno())
