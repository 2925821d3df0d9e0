"""Which processes a process has started, read from /proc."""

from __future__ import annotations

import contextlib
from pathlib import Path


def descendants(root: int) -> list[int]:
    """Processes below `root`, children before grandchildren; empty where there is no /proc."""
    found: list[int] = []
    queue = [root]
    while queue:
        for task in _children_files(queue.pop(0)):
            with contextlib.suppress(OSError, ValueError):
                children = [int(word) for word in task.read_text().split()]
                found += children
                queue += children
    return found


def _children_files(pid: int) -> list[Path]:
    with contextlib.suppress(OSError):
        return list(Path(f"/proc/{pid}/task").glob("*/children"))
    return []
