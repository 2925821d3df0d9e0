"""A link to an engine that is about to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from outpace_optimizers.engine.client import EngineGoneError
from outpace_optimizers.workspace import Workspace
from outpace_server.engine_link import EngineLink, EngineLinks


class Link:
    def __init__(self, offers: list[str] | None) -> None:
        self._offers = offers
        self.alive = True

    async def offers(self, path: str, text: str) -> list[str]:
        if self._offers is None:
            self.alive = False
            raise EngineGoneError("the engine ended")
        return self._offers


@pytest.mark.asyncio
async def test_offers_are_asked_for_again_where_the_engine_has_just_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = [Link(None), Link(["offer"])]

    async def next_one(workspace: Workspace) -> Any:
        return opened.pop(0)

    monkeypatch.setattr(EngineLink, "open", next_one)
    assert await EngineLinks().offers(Workspace(tmp_path), "model.py", "") == ["offer"]
