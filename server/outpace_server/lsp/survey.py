"""The targets of a workspace, read from its files: nothing is run, and no file is imported."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outpace_audit.errors import OutpaceError
from outpace_server.lsp.regions import region_named
from outpace_server.marked import is_marked
from outpace_server.output.words import one_line

MOST_FILES = 5000
"""Python files of a folder that are looked at: somebody's home directory may be open."""
SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})


@dataclass(frozen=True, slots=True)
class Place:
    """A file that is measured, as it is on disk. `line` is that of the target's `def` or `class`, from 0."""

    path: Path
    text: str
    target: str = ""
    line: int = 0
    trouble: str = ""
    """Why there is no target."""


def survey(folder: Path) -> tuple[list[Place], bool]:
    """What is found in a folder, by path, and whether that is all of it."""
    places: list[Place] = []
    for number, path in enumerate(_python_files(folder)):
        if number == MOST_FILES:
            return places, False
        place = place_in(path)
        if place is not None:
            places.append(place)
    return places, True


def surveyed(path: Path, folder: Path) -> bool:
    """Whether a file in a folder is one that a survey of it looks at."""
    inner = [parent for parent in path.parents if parent.is_relative_to(folder) and parent != folder]
    return path.suffix == ".py" and not any(skipped(one) for one in inner)


def place_in(path: Path) -> Place | None:
    """None for the many files that nobody measures, and for what is no text."""
    if not is_marked(path):
        return None
    # Their package takes 0.1 s: not at the start.
    from outpace_optimizers.targets.python_file import load_python_file
    from outpace_optimizers.targets.source_text import read_source

    try:
        text = read_source(path).text
    except (OutpaceError, OSError):
        return None
    try:
        target = load_python_file(path, None)
    except (OutpaceError, OSError) as error:
        return Place(path, text, trouble=one_line(str(error)).removeprefix(str(path)).lstrip(": "))
    return Place(path, target.code.source, target.name, region_named(target.code.source, target.name).header)


def _python_files(folder: Path) -> Iterator[Path]:
    for name, folders, files in os.walk(folder):
        here = Path(name)
        folders[:] = sorted(one for one in folders if not skipped(here / one))
        yield from (here / file for file in sorted(files) if file.endswith(".py"))


def skipped(folder: Path) -> bool:
    """Hidden folders, environments of Python, and what is installed or built."""
    return folder.name.startswith(".") or folder.name in SKIPPED or (folder / "pyvenv.cfg").exists()
