"""Notices changes of files on disk: an editor's saves, and a checkout, a formatter or another program."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer

from outpace_optimizers.notebook import SUFFIX

WRITTEN = ("modified", "created", "moved", "closed")


class Watching(FileSystemEventHandler):
    """Calls `changed(path)` in the running loop for each Python file or notebook that appears or is written in a
    watched folder."""

    def __init__(self, changed: Callable[[Path], None]) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._folders: set[Path] = set()
        self._observer = Observer()
        self._observer.daemon = True
        self._observer.start()

    def add(self, folder: Path, *, recursive: bool = False) -> None:
        """Raises OSError where the kernel's watches are used up, or the folder is gone."""
        if folder not in self._folders:
            self._observer.schedule(self, str(folder), recursive=recursive)
            self._folders.add(folder)

    def on_any_event(self, event: FileSystemEvent) -> None:
        """In the observer's thread."""
        if event.is_directory or event.event_type not in WRITTEN:
            return
        path = str(event.dest_path if event.event_type == "moved" else event.src_path)
        if path.endswith((".py", SUFFIX)):
            self._loop.call_soon_threadsafe(self._changed, Path(path))

    def close(self) -> None:
        self._observer.stop()
