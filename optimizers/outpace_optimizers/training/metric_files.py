"""A metric that a run writes to a file: lines of JSON or of text, or TensorBoard's event files."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

from outpace_audit.errors import EnvironmentMissing
from outpace_optimizers.training.files import walk
from outpace_optimizers.training.reading import Reading
from outpace_optimizers.training.trees import RunTree

LARGEST = 256 << 20
"""Bytes of a file that are read."""
EVENTS = "tfevents"


def file_points(tree: RunTree, reading: Reading) -> list[tuple[float, int | None]]:
    """(value, step) in order, of what the run itself has written. Empty where it has written nothing of the kind."""
    if reading.tag:
        return [point for path in _event_files(tree, reading.file) for point in _events(path, reading.tag)]
    path = tree.left(reading.file)
    if path is None:
        return []
    before = _head(tree.root / reading.file)
    data = _head(path)
    lines = data[len(before) if data.startswith(before) else 0 :].decode(errors="replace").splitlines()
    return [(value, step) for value, step in map(reading.read, lines) if value is not None]


def _head(path: Path) -> bytes:
    if not path.is_file():
        return b""
    with path.open("rb") as file:
        return file.read(LARGEST)


def _event_files(tree: RunTree, folder: str) -> Iterator[Path]:
    """By name, which begins with the time; not those that the project has from earlier runs."""
    for path in sorted(walk(tree.written), key=lambda path: Path(path).name):
        inside = folder in (".", path) or path.startswith(f"{folder.rstrip('/')}/")
        if inside and EVENTS in Path(path).name and not (tree.root / path).exists():
            found = tree.left(path)
            if found is not None and found.stat().st_size <= LARGEST:
                yield found


def _events(path: Path, tag: str) -> Iterator[tuple[float, int | None]]:
    try:
        from tensorboard.backend.event_processing.event_file_loader import (
            EventFileLoader,  # pyright: ignore[reportMissingTypeStubs]
        )
        from tensorboard.util import tensor_util  # pyright: ignore[reportMissingTypeStubs]
    except ImportError as error:
        raise EnvironmentMissing(
            "a metric in TensorBoard's files needs tensorboard: pip install 'outpace[profile]'"
        ) from error
    logging.getLogger("tensorboard").setLevel(logging.ERROR)
    for event in EventFileLoader(str(path)).Load():
        for value in event.summary.value:
            if value.tag == tag:
                array = tensor_util.make_ndarray(value.tensor) if value.HasField("tensor") else value.simple_value
                yield float(array), int(event.step)
