from __future__ import annotations

import json
import math
import os
import socket
import struct
import threading
from collections.abc import Iterator

import pytest

from outpace_audit.channel import Channel, ChannelClosed, ChannelCorrupt, ChannelError, ChannelTimeout
from outpace_audit.errors import ArmError

PATIENCE_S = 60.0


@pytest.fixture
def pair() -> Iterator[tuple[Channel, socket.socket]]:
    """A channel, and the bare socket of a peer that need not keep to the protocol."""
    ours, theirs = socket.socketpair()
    channel = Channel(ours, cap=1 << 16)
    yield channel, theirs
    channel.close()
    theirs.close()


def frame(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body


def test_messages_arrive_whole_and_in_order() -> None:
    ours, theirs = (Channel(sock) for sock in socket.socketpair())
    sent = [{"n": n, "text": "é" * n, "deep": [{"a": None, "b": [True, 0.5]}]} for n in range(20)]
    for message in sent:
        ours.send(message)
    assert [theirs.recv(PATIENCE_S) for _ in sent] == sent


def test_a_large_message_passes_through_a_small_socket_buffer() -> None:
    ours, theirs = (Channel(sock) for sock in socket.socketpair())
    message = {"text": "x" * 7_000_000}
    sender = threading.Thread(target=ours.send, args=(message,))
    sender.start()
    assert theirs.recv(10.0) == message
    sender.join()


def test_infinite_timeout_waits_for_the_message(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    timer = threading.Timer(0.05, peer.sendall, (frame(b'{"a":1}'),))
    timer.start()
    assert channel.recv(math.inf) == {"a": 1}


def test_several_messages_in_one_packet(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    peer.sendall(frame(b'{"a":1}') + frame(b'{"a":2}') + frame(b'{"a":3}')[:5])
    assert channel.recv(PATIENCE_S) == {"a": 1}
    assert channel.recv(PATIENCE_S) == {"a": 2}
    with pytest.raises(ChannelTimeout):
        channel.recv(0.01)
    peer.sendall(frame(b'{"a":3}')[5:])
    assert channel.recv(PATIENCE_S) == {"a": 3}


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[1]", b"null", b"7", b'"text"', b"\xff\xfe", b'{"a":NaN}', b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":"\\ud800"}', b'{"a":"\\uDfff"}', b"[" * 60_000, b'{"a":' * 10_000, b'{"a":1} {"b":2}',
        b"{'a':1}",
        b'{"a":' + b"9" * 60_000 + b"}",
    ],
)  # fmt: skip
def test_anything_but_one_object_of_standard_json_is_corrupt(pair: tuple[Channel, socket.socket], body: bytes) -> None:
    channel, peer = pair
    peer.sendall(frame(body))
    with pytest.raises(ChannelCorrupt) as caught:
        channel.recv(PATIENCE_S)
    assert len(str(caught.value)) < 300
    peer.sendall(frame(b'{"a":1}'))
    with pytest.raises(ChannelCorrupt):  # The stream is not trusted again.
        channel.recv(PATIENCE_S)


def test_an_escaped_pair_of_surrogates_is_a_character(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    peer.sendall(frame(b'{"a":"\\ud83d\\ude00"}'))
    assert channel.recv(PATIENCE_S) == {"a": "\U0001f600"}


@pytest.mark.parametrize("length", [(1 << 16) + 1, (1 << 32) - 1])
def test_an_announced_size_over_the_cap_is_refused_before_it_is_read(
    pair: tuple[Channel, socket.socket], length: int
) -> None:
    channel, peer = pair
    peer.sendall(struct.pack(">I", length))
    with pytest.raises(ChannelCorrupt, match="cap"):
        channel.recv(PATIENCE_S)


@pytest.mark.parametrize("data", [b"", b"\0\0", frame(b'{"a":1}')[:-1]])
def test_a_peer_that_leaves_in_the_middle(pair: tuple[Channel, socket.socket], data: bytes) -> None:
    channel, peer = pair
    peer.sendall(data)
    peer.close()
    with pytest.raises(ChannelClosed):
        channel.recv(PATIENCE_S)
    with pytest.raises(ChannelClosed):
        channel.send({})


def test_the_deadline_is_for_the_whole_message(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair
    stop = threading.Event()

    def trickle() -> None:
        for byte in frame(b'{"a":"' + b"x" * 60_000 + b'"}'):
            if stop.wait(0.005):
                return
            peer.sendall(bytes([byte]))

    thread = threading.Thread(target=trickle)
    thread.start()
    with pytest.raises(ChannelTimeout):
        channel.recv(0.2)
    assert thread.is_alive(), "it was given up before its end"
    stop.set()
    thread.join()


def test_a_flood_ends_in_an_error(pair: tuple[Channel, socket.socket]) -> None:
    channel, peer = pair

    def flood() -> None:
        try:
            while True:
                peer.sendall(b"\xff" * (1 << 16))
        except OSError:
            pass

    thread = threading.Thread(target=flood)
    thread.start()
    with pytest.raises(ChannelCorrupt):
        channel.recv(PATIENCE_S)
    channel.close()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()


def test_random_bytes_never_raise_anything_else(pair: tuple[Channel, socket.socket]) -> None:
    for _ in range(200):
        ours, theirs = socket.socketpair()
        channel = Channel(ours, cap=256)
        theirs.sendall(frame(os.urandom(64)) + os.urandom(8))
        theirs.close()
        with pytest.raises(ChannelError):
            while True:
                channel.recv(PATIENCE_S)
        channel.close()


def test_a_peer_that_does_not_read_cannot_hold_the_sender(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("outpace_audit.channel.SEND_TIMEOUT", 0.1)
    ours, theirs = socket.socketpair()
    channel = Channel(ours)
    with pytest.raises(ChannelTimeout):
        channel.send({"text": "x" * 7_000_000})
    with pytest.raises(ChannelTimeout):  # Half a frame is out.
        channel.send({"a": 1})
    theirs.close()


@pytest.mark.parametrize("message", [{"a": math.nan}, {"a": {1, 2}}, {"a": b"x"}, {"a": "x" * (1 << 16)}])
def test_what_cannot_be_sent_leaves_the_channel_whole(
    pair: tuple[Channel, socket.socket], message: dict[str, object]
) -> None:
    channel, peer = pair
    with pytest.raises(ChannelCorrupt):
        channel.send(message)
    channel.send({"a": 1})
    assert json.loads(peer.recv(100)[4:]) == {"a": 1}


def test_errors_are_arm_errors_with_a_kind(pair: tuple[Channel, socket.socket]) -> None:
    channel, _ = pair
    with pytest.raises(ArmError) as caught:
        channel.recv(0.0)
    assert (caught.value.phase, caught.value.kind) == ("channel", "timeout")
    channel.close()
    channel.close()
    assert channel.fileno() == -1
    with pytest.raises(ArmError) as caught:
        channel.recv(PATIENCE_S)
    assert caught.value.kind == "died"
