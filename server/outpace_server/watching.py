"""Notices changes of files on disk: an editor's saves, and a checkout, a formatter or another program."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from outpace_optimizers.notebook import SUFFIX
from outpace_optimizers.profiles.names import PROFILE, TRACES

WRITTEN = ("modified", "created", "moved", "closed", "deleted")
COMPLETE = ("moved", "closed", "deleted")
"""Of a file that takes long to write."""
APPEARED = ("created", "moved", "deleted")
RECORDS = (*TRACES, PROFILE)


class Watching(FileSystemEventHandler):
    """Calls `changed(path)` in the running loop for each Python file or notebook that appears, is written or goes in a
    watched folder, and `recorded(path)` for each profile, trace or folder that is complete or goes."""

    def __init__(self, changed: Callable[[Path], None], recorded: Callable[[Path], None] = lambda path: None) -> None:
        self._loop = asyncio.get_running_loop()
        self._changed = changed
        self._recorded = recorded
        self._folders: dict[tuple[Path, bool], ObservedWatch] = {}
        self._observer = Observer()
        self._observer.daemon = True
        self._observer.start()

    def add(self, folder: Path, *, recursive: bool = False) -> None:
        """Raises OSError where the kernel's watches are used up, or the folder is gone."""
        if (folder, recursive) not in self._folders:
            self._folders[folder, recursive] = self._observer.schedule(self, str(folder), recursive=recursive)

    def forget(self, folder: Path) -> None:
        """One that is gone, and may come back as another."""
        known = list(self._folders)  # in one go: `add` may be called by another thread
        for key in [key for key in known if key[0] == folder or folder in key[0].parents]:
            with contextlib.suppress(KeyError):
                self._observer.unschedule(self._folders.pop(key))

    def on_any_event(self, event: FileSystemEvent) -> None:
        """In the observer's thread."""
        path = str(event.src_path)
        if event.event_type == "moved":
            if not event.is_directory and path.endswith((".py", SUFFIX)):
                self._loop.call_soon_threadsafe(self._changed, Path(path))
            path = str(event.dest_path)
        if event.is_directory:
            if event.event_type in APPEARED:
                self._loop.call_soon_threadsafe(self._recorded, Path(path))
        elif event.event_type in WRITTEN and path.endswith((".py", SUFFIX)):
            self._loop.call_soon_threadsafe(self._changed, Path(path))
        elif event.event_type in COMPLETE and path.endswith(RECORDS):
            self._loop.call_soon_threadsafe(self._recorded, Path(path))

    def close(self) -> None:
        self._observer.stop()
