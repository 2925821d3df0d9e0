"""Which profiles and traces a project has on disk, and the folders in which new ones will appear. Nothing is read."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from outpace_optimizers.profiles.names import FOLDER, PROFILE, RUN, TRACES
from outpace_optimizers.workspace import ROOT_MARKS, Workspace
from outpace_server.lsp.survey import skipped

MOST_READ = 4
"""Profiles of a project that are read, the newest first, until one is of the files that are open."""
MOST_TRACES = 2
"""Each rank of a run writes one, as large as that."""
MOST_FOLDERS = 2000
"""Of a project: that are looked into for traces, and that are watched. A watch takes 1 kB, here and in the kernel."""
MOST_WATCHES = 16
"""Each is a thread."""


@dataclass(frozen=True, slots=True)
class Project:
    """A file's project: where its traces are looked for, and where `outpace profile` keeps what it records."""

    root: Path
    state: Path

    @classmethod
    def of(cls, path: Path, folders: Iterator[Path]) -> Project:
        """`folders` are those of the editor: a file in one without any mark of a project belongs to the folder."""
        workspace = Workspace.of(path)
        if any((workspace.root / mark).exists() for mark in ROOT_MARKS):
            return cls(workspace.root, workspace.state)
        holding = (folder for folder in folders if folder in path.parents)
        return cls(max(holding, key=lambda one: len(one.parts), default=workspace.root), workspace.state)

    @property
    def recordings(self) -> Path:
        return self.state / FOLDER


@dataclass(frozen=True, slots=True)
class Candidate:
    """A profile's run (`recorded`), or a trace. Another one as soon as the file is written again."""

    file: Path
    recorded: bool
    size: int
    """Of the trace, in bytes."""
    changed_ns: int

    def request(self, root: Path) -> dict[str, object]:
        return {"file": str(self.file), "root": str(root), "recorded": self.recorded}


def candidates(project: Project, *, traces: bool) -> list[Candidate]:
    """The newest first: what `outpace profile` has recorded and read, and of other `traces` the newest."""
    found = list(_recordings(project))
    if traces:
        found += sorted(_traces(project.root), key=lambda one: -one.changed_ns)[:MOST_TRACES]
    return sorted(found, key=lambda one: -one.changed_ns)[:MOST_READ]


def _recordings(project: Project) -> Iterator[Candidate]:
    for profile in project.recordings.glob(f"*{PROFILE}"):
        run = profile.with_name(profile.name.removesuffix(PROFILE) + RUN)
        if (status := _status(run)) is not None and (read := _status(profile)) is not None:
            yield Candidate(run, True, read.st_size, status.st_mtime_ns)


def _traces(root: Path) -> Iterator[Candidate]:
    for folder, _, names in islice(_walk(root), MOST_FOLDERS):
        for name in names:
            path = folder / name
            if name.endswith(TRACES) and (status := _status(path)) is not None:
                yield Candidate(path, False, status.st_size, status.st_mtime_ns)


def _walk(root: Path) -> Iterator[tuple[Path, list[str], list[str]]]:
    for name, folders, files in os.walk(root):
        folders[:] = sorted(one for one in folders if not skipped(Path(name, one)))
        yield Path(name), folders, files


def _status(path: Path) -> os.stat_result | None:
    """None for a file that has gone meanwhile."""
    try:
        return path.stat()
    except OSError:
        return None


def watched(project: Project) -> Iterator[tuple[Path, bool]]:
    """Folders that are there, and whether with all below: not environments, which are large, and hold no traces."""
    for folder in (project.root, project.state, project.recordings):
        if folder.is_dir():
            yield folder, False
    left, inner = MOST_FOLDERS, next(_walk(project.root), (project.root, [], []))[1]
    for name in inner[:MOST_WATCHES]:
        size = sum(1 for _ in islice(os.walk(project.root / name), left + 1))
        if size <= left:
            left -= size
            yield project.root / name, True
