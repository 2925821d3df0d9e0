"""Folders are watched and forgotten by two threads: of the editor's files, and of profiles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path, PosixPath
from typing import Any

import pytest

from outpace_server.watching import Watching


class Met(PosixPath):
    """A folder at which the other thread has its turn as soon as this one comes to it."""

    meanwhile: Callable[[], None]

    @property
    def parents(self) -> Sequence[Any]:
        self.meanwhile()
        return super().parents


@pytest.mark.asyncio
async def test_a_folder_is_added_while_another_is_forgotten(tmp_path: Path) -> None:
    watching = Watching(lambda path: None)
    gone, other = tmp_path / "gone", tmp_path / "other"
    (gone / "inner").mkdir(parents=True)
    other.mkdir()
    inner = Met(gone / "inner")
    inner.meanwhile = lambda: watching.add(other)  # type: ignore[method-assign]
    try:
        watching.add(inner)
        watching.forget(gone)
        assert [folder for folder, _ in watching._folders] == [other]
    finally:
        watching.close()
