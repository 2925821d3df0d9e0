"""Length-prefixed JSON over a unix stream socket, written for a peer that may be hostile.

Frame: four bytes of length (big-endian), then that many bytes of UTF-8 JSON, always an object. Standard JSON
only: NaN and infinities are refused on both sides, so a sender encodes them itself.
"""

from __future__ import annotations

import contextlib
import json
import math
import select
import socket
import struct
import sys
import time
from typing import Any, NoReturn

from outpace_audit.errors import ArmError

DEFAULT_CAP = 8 * 1024 * 1024
"""Bytes of one message. Tensors travel in shared memory, so a message near this size is an attack or a
bug."""

SEND_TIMEOUT = 30.0
"""Seconds for a peer that has stopped reading, before a send gives up."""

_HEADER = struct.Struct(">I")
_CHUNK = 1 << 16
_LONGEST_POLL = 1 << 30
"""Milliseconds: poll() takes a C int."""


class ChannelError(ArmError):
    """Base of what a channel raises; `phase` is "channel" until a caller that knows better sets it."""

    fault = "protocol"

    def __init__(self, message: str) -> None:
        super().__init__("channel", self.fault, message)


class ChannelClosed(ChannelError):  # noqa: N818
    """The other end is gone, or this end was closed."""

    fault = "died"


class ChannelTimeout(ChannelError):  # noqa: N818
    """No whole message within the deadline. Bytes already read are kept: a later recv may go on."""

    fault = "timeout"


class ChannelCorrupt(ChannelError):  # noqa: N818
    """Oversized, not JSON, not an object, or not representable. The stream cannot be trusted after it."""


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number beyond double precision")
    return value


def _short_int(text: str) -> int:
    # int() of megabytes of digits takes minutes where Python has no digit limit of its own (before 3.10.7).
    if len(text) > 4300:
        raise ValueError("an integer of too many digits")
    return int(text)


_DECODER = json.JSONDecoder(
    parse_constant=_refuse_constant,
    parse_float=_finite,
    parse_int=None if hasattr(sys, "set_int_max_str_digits") else _short_int,
)
_ENCODER = json.JSONEncoder(allow_nan=False, separators=(",", ":"))


class Channel:
    """One end. Not for use from several threads at once."""

    def __init__(self, sock: socket.socket, cap: int = DEFAULT_CAP) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._cap = cap
        self._buffer = bytearray()
        self._broken: ChannelError | None = None
        self._readable = select.poll()
        self._readable.register(sock, select.POLLIN)
        self._writable = select.poll()
        self._writable.register(sock, select.POLLOUT)

    def fileno(self) -> int:
        """The descriptor, or -1 once closed."""
        return self._sock.fileno()

    def close(self) -> None:
        """Idempotent."""
        self._broken = self._broken or ChannelClosed("the channel was closed on this side")
        with contextlib.suppress(OSError):
            self._sock.close()

    def hang_up(self) -> None:
        """Nothing more will be sent; the other end reads to the end."""
        with contextlib.suppress(OSError):
            self._sock.shutdown(socket.SHUT_WR)

    def send(self, obj: dict[str, Any]) -> None:
        """Raises ChannelCorrupt, having sent nothing, where `obj` is not JSON or is over the cap."""
        self._check()
        try:
            body = _ENCODER.encode(obj).encode()
        except (TypeError, ValueError, RecursionError) as error:
            raise ChannelCorrupt(f"cannot send this message: {error}") from None
        if len(body) > self._cap:
            raise ChannelCorrupt(f"cannot send {len(body)} bytes: the cap is {self._cap}")
        self._write(_HEADER.pack(len(body)) + body)

    def recv(self, timeout: float) -> dict[str, Any]:
        """The next message. `timeout` is in seconds for the whole of it (math.inf waits for ever)."""
        self._check()
        deadline = time.monotonic() + timeout
        self._fill(_HEADER.size, deadline)
        (length,) = _HEADER.unpack_from(self._buffer)
        if length > self._cap:
            raise self._break(ChannelCorrupt(f"a message of {length} bytes: the cap is {self._cap}"))
        end = _HEADER.size + length
        self._fill(end, deadline)
        body = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        return self._decode(body)

    def _check(self) -> None:
        if self._broken is not None:
            raise type(self._broken)(str(self._broken))

    def _break(self, error: ChannelError) -> ChannelError:
        self._broken = error
        return error

    def _decode(self, body: bytes) -> dict[str, Any]:
        try:
            message = _DECODER.decode(body.decode())
            if b"\\ud" in body or b"\\uD" in body:
                # A lone surrogate would pass here and blow up later, where the judge prints or stores the
                # text.
                json.dumps(message, ensure_ascii=False).encode()
        except (ValueError, RecursionError, MemoryError) as error:
            raise self._break(ChannelCorrupt(f"not JSON: {str(error)[:200]}")) from None
        if not isinstance(message, dict):
            raise self._break(ChannelCorrupt(f"not an object: {type(message).__name__}"))
        return message

    def _fill(self, size: int, deadline: float) -> None:
        """Reads until the buffer holds `size` bytes; what comes beyond belongs to the next message."""
        while len(self._buffer) < size:
            try:
                data = self._sock.recv(max(_CHUNK, min(size - len(self._buffer), 1 << 20)))
            except BlockingIOError:
                self._wait(self._readable, deadline, "the arm did not answer in time")
                continue
            except OSError as error:
                raise self._break(ChannelClosed(f"the arm's channel broke: {error.strerror}")) from None
            if not data:
                raise self._break(ChannelClosed("the arm closed its channel"))
            self._buffer += data
            # A peer that trickles bytes never blocks us for long, so the deadline is looked at here too.
            if len(self._buffer) < size and time.monotonic() >= deadline:
                raise ChannelTimeout("the arm did not finish its message in time")

    def _write(self, data: bytes) -> None:
        deadline = time.monotonic() + SEND_TIMEOUT
        view = memoryview(data)
        while view:
            try:
                view = view[self._sock.send(view) :]
            except BlockingIOError:
                self._wait_to_send(deadline)
            except OSError as error:
                raise self._break(ChannelClosed(f"the arm's channel broke: {error.strerror}")) from None

    def _wait_to_send(self, deadline: float) -> None:
        try:
            self._wait(self._writable, deadline, "the arm stopped reading")
        except ChannelTimeout as error:
            # Half a frame may be out: nothing sent after it would be understood.
            raise self._break(error) from None

    def _wait(self, poll: select.poll, deadline: float, message: str) -> None:
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            raise ChannelTimeout(message)
        milliseconds = None if math.isinf(remaining) else min(math.ceil(remaining * 1000), _LONGEST_POLL)
        poll.poll(milliseconds)
