"""The collector of garbage has its turn when nobody types."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from outpace_server.lsp import quiet
from outpace_server.lsp.attention import Attention


class Ring:
    def __init__(self) -> None:
        self.itself = self


def test_garbage_goes_in_a_pause_and_not_before(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = 0.0
    attention = Attention(lambda: clock)
    gone = weakref.ref(Ring())
    states: list[bool] = []

    async def watch() -> None:
        nonlocal clock
        collecting = asyncio.create_task(quiet.collect_in_pauses(attention))

        async def looked() -> None:
            for _ in range(5):
                await asyncio.sleep(0)
            states.append(gone() is None)

        await looked()
        clock += 1
        attention.seen()
        await looked()
        clock += quiet.PAUSED_S - 0.1
        await looked()
        clock += 0.2
        await looked()
        collecting.cancel()

    monkeypatch.setattr(quiet, "LOOK_S", 0.0)
    gc.disable()
    try:
        asyncio.run(watch())
    finally:
        gc.enable()
    assert states == [False, False, False, True]
