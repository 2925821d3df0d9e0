"""Files by the patterns that name them, and what they hold. Paths are relative to the project's root, with slashes."""

from __future__ import annotations

import functools
import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

COUNTS = ".outpace-counts"
"""In a run's tree: what counter.py writes."""
SKIPPED = frozenset({
    ".git", ".outpace", ".venv", "__pycache__", "node_modules", ".mypy_cache", ".ruff_cache", COUNTS,
})  # fmt: skip
"""Folders that hold no part of a training run, whatever a pattern says."""
_CHUNK = 1 << 20


def matches(path: str, patterns: Iterable[str]) -> bool:
    """`*` stays within a folder, `**` does not; `data/**` and `data/` are all that is below data."""
    return any(_regex(pattern).fullmatch(path) for pattern in patterns)


@functools.cache
def _regex(pattern: str) -> re.Pattern[str]:
    text = pattern.removeprefix("./")
    text = text + "**" if text.endswith("/") else text
    parts = re.split(r"(\*\*/|\*\*|\*|\?)", text)
    words = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(words.get(part, re.escape(part)) for part in parts), re.DOTALL)


def walk(root: Path) -> Iterator[str]:
    """Every file and link below `root`; links are not followed."""
    for folder, folders, names in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in SKIPPED)
        linked = [name for name in folders if (Path(folder) / name).is_symlink()]
        for name in sorted((*names, *linked)):
            yield (Path(folder) / name).relative_to(root).as_posix()


def matching(root: Path, patterns: tuple[str, ...]) -> list[str]:
    """A link to a folder counts where what lies in the folder would: whoever replaces it replaces that."""
    return [path for path in walk(root) if matches(path, patterns) or _links_to_some(root, path, patterns)]


def _links_to_some(root: Path, path: str, patterns: tuple[str, ...]) -> bool:
    return (root / path).is_symlink() and matches(f"{path}/", patterns)


class Hashes:
    """SHA-256 of files, each read again only when its size, times or inode have changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[tuple[int, ...], str]] = {}

    def of(self, path: Path) -> str:
        """Empty where there is no such file."""
        try:
            status = path.stat()
            seen = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, status.st_dev)
            if path not in self._known or self._known[path][0] != seen:
                self._known[path] = seen, _sha256(path)
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
            return ""
        return self._known[path][1]


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
