"""The files of one run: the project with a candidate's changes, copy-on-write, and what the run left in them."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from outpace_optimizers.training.change import Change
from outpace_optimizers.training.files import SKIPPED, Hashes, matches, walk
from outpace_optimizers.training.reading import TrainingError

MOST_COPIED_BYTES = 2 << 30
MOST_COPIED_FILES = 50_000
"""Where no overlay can be mounted, each run copies the tree: more than this takes longer than many a run."""
_OPAQUE = "user.overlay.opaque"


class RunTree:
    """`folder` is the run's own, outside the project. `remove` when what the run left has been looked at."""

    def __init__(self, root: Path, folder: Path, change: Change, protected: Iterable[str], *, overlay: bool) -> None:
        """`protected`: the files that must not change, as they are in `root`."""
        self.root, self.folder, self.overlay = root, folder, overlay
        self._protected = tuple(protected)
        self._removed = [path for path, data in change.files.items() if data is None]
        self.written = folder / ("upper" if overlay else "copy")
        self.written.mkdir(parents=True)
        if overlay:
            (folder / "work").mkdir()
        else:
            _copy(root, self.written)
        for path, data in change.files.items():
            self._apply(path, data)
        self._before = {} if overlay else {path: _identity(self.written / path) for path in self._protected}

    def _apply(self, path: str, data: bytes | None) -> None:
        place = self.written / path
        if data is None:
            place.unlink(missing_ok=True)
            return
        place.parent.mkdir(parents=True, exist_ok=True)
        place.unlink(missing_ok=True)
        place.write_bytes(data)
        if (self.root / path).is_file():
            place.chmod(stat.S_IMODE((self.root / path).stat().st_mode))

    def add(self, path: str, source: Path) -> None:
        """A file from elsewhere, such as a checkpoint."""
        (self.written / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, self.written / path, follow_symlinks=False)

    def request(self) -> dict[str, Any]:
        """What enclosure.py has to know."""
        if not self.overlay:
            return {"root": str(self.root), "copy": str(self.written), "removed": []}
        return {
            "root": str(self.root), "copy": "", "removed": self._removed, "lowerdir": str(self.root),
            "upperdir": str(self.written), "workdir": str(self.folder / "work"),
        }  # fmt: skip

    def left(self, path: str) -> Path | None:
        """A plain file that the run wrote or that its change brought, inside the run's tree."""
        place = self.written / path
        inside = place.resolve().is_relative_to(self.written.resolve())
        return place if inside and place.is_file() and not place.is_symlink() else None

    def touched(self, patterns: tuple[str, ...]) -> list[str]:
        """Protected files that the run wrote to, replaced or removed, and new ones among them.

        Also if it put them back: in an overlay a file that was opened for writing has been copied, elsewhere its
        times or inode have changed.
        """
        new = [path for path in walk(self.written) if matches(path, patterns) and path not in self._protected]
        if self.overlay:
            return sorted({*new, *self._copied_up()})
        return sorted({*new, *(path for path, was in self._before.items() if _identity(self.written / path) != was)})

    def _copied_up(self) -> Iterable[str]:
        for path in self._protected:
            places = [self.written / path, *(self.written / one for one in Path(path).parents if one != Path())]
            if os.path.lexists(places[0]) or any(_covers(place) for place in places[1:]):
                yield path

    def remove(self) -> None:
        for folder, folders, _ in os.walk(self.folder):
            for name in folders:
                with contextlib.suppress(OSError):
                    Path(folder, name).chmod(0o700)  # an overlay's work folder has no permissions at all
        shutil.rmtree(self.folder, ignore_errors=True)


def _covers(place: Path) -> bool:
    """An entry of an overlay that hides the folder of that name below it."""
    if not os.path.lexists(place):
        return False
    if not place.is_dir() or place.is_symlink():
        return True
    try:
        return os.getxattr(place, _OPAQUE) == b"y"
    except OSError:
        return False


def _identity(path: Path) -> tuple[object, ...]:
    try:
        status = path.lstat()
    except OSError:
        return ()
    return status.st_ino, status.st_ctime_ns, status.st_size, Hashes().of(path)


def _copy(root: Path, copy: Path) -> None:
    files, size = 0, 0
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if name not in SKIPPED]
        files += len(names)
        size += sum((Path(folder) / name).lstat().st_size for name in names)
        if files > MOST_COPIED_FILES or size > MOST_COPIED_BYTES:
            raise TrainingError(
                f"{root} holds more than {MOST_COPIED_FILES} files or {MOST_COPIED_BYTES >> 30} GiB, and this machine "
                "mounts no overlay, so that each run would copy it: move data outside the project"
            )
    shutil.copytree(
        root,
        copy,
        symlinks=True,
        dirs_exist_ok=True,
        ignore=lambda _, names: [name for name in names if name in SKIPPED],
    )
