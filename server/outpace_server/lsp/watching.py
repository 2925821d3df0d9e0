"""Notices changes of files on disk that no editor told of: a checkout, a formatter, another program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class Watching(FileSystemEventHandler):
    """Calls `changed(path)` in the loop for every Python file that appears or is written in a watched folder."""

    def __init__(self, loop: asyncio.AbstractEventLoop, changed: Callable[[Path], None]) -> None:
        self._loop = loop
        self._changed = changed
        self._folders: set[Path] = set()
        self._observer = Observer()
        self._observer.daemon = True
        self._observer.start()

    def add(self, folder: Path) -> None:
        """Raises OSError where the kernel's watches are used up, or the folder is gone."""
        if folder not in self._folders:
            self._observer.schedule(self, str(folder))
            self._folders.add(folder)

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.is_directory or event.event_type not in ("modified", "created", "moved", "closed"):
            return
        path = str(event.dest_path if event.event_type == "moved" else event.src_path)
        if path.endswith(".py"):
            self._loop.call_soon_threadsafe(self._changed, Path(path))

    def close(self) -> None:
        self._observer.stop()
