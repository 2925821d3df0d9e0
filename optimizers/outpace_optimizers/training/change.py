"""A candidate: what it changes of the project's files, from a tree that holds them or a patch."""

from __future__ import annotations

import difflib
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from outpace_optimizers.training.config import TrainingTarget
from outpace_optimizers.training.files import matches, walk
from outpace_optimizers.training.reading import TrainingError

PROGRAM = "git"


@dataclass(frozen=True, slots=True)
class Change:
    """New contents by path; None: the file is removed. Empty for the baseline."""

    files: Mapping[str, bytes | None]

    @property
    def key(self) -> str:
        digest = hashlib.sha256()
        for path in sorted(self.files):
            data = self.files[path]
            for part in (path.encode(), b"-" if data is None else b"+", data or b""):
                digest.update(len(part).to_bytes(8, "big") + part)
        return digest.hexdigest()

    def diff(self, root: Path) -> str:
        """For a person; binary files are named."""
        return "".join(self._diff_of(root, path) for path in sorted(self.files))

    def _diff_of(self, root: Path, path: str) -> str:
        before = (root / path).read_bytes() if (root / path).is_file() else None
        after = self.files[path]
        old, new = _lines(before), _lines(after)
        if old is None or new is None:
            return f"Binary file {path} differs\n"
        names = [
            name if data is not None else "/dev/null" for name, data in ((f"a/{path}", before), (f"b/{path}", after))
        ]
        lines = difflib.unified_diff(old, new, names[0], names[1])
        return "".join(line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n" for line in lines)


NOTHING = Change({})


def read_change(against: Path, root: Path, target: TrainingTarget) -> Change:
    """`against`: a folder with the whole changed tree, or a patch. Raises TrainingError."""
    if against.is_dir():
        if against.resolve() == root.resolve():
            raise TrainingError(f"{against} is the project itself: name a changed copy of it, or a patch")
        change = _of_tree(against, root, target)
    elif against.is_file():
        change = _of_patch(against, root)
    else:
        raise TrainingError(f"{against}: no such folder or patch")
    if not change.files:
        raise TrainingError(f"{against} changes no file of {root}: there is nothing to compare")
    return change


def _of_tree(tree: Path, root: Path, target: TrainingTarget) -> Change:
    """A file that only one of them has counts where an edit may change it: copies seldom hold what runs left."""
    theirs, ours = set(walk(tree)), set(walk(root))
    files: dict[str, bytes | None] = {}
    for path in sorted(theirs & ours):
        if (tree / path).is_file() and (root / path).is_file() and not _same(tree / path, root / path):
            files[path] = (tree / path).read_bytes()
    named = (*target.may_change, *target.must_not_change)
    files |= {path: (tree / path).read_bytes() for path in theirs - ours if matches(path, named)}
    files |= {path: None for path in ours - theirs if matches(path, target.may_change)}
    return Change(files)


def _same(one: Path, other: Path) -> bool:
    if one.stat().st_size != other.stat().st_size or one.is_symlink() != other.is_symlink():
        return False
    return one.samefile(other) or one.read_bytes() == other.read_bytes()


def _of_patch(patch: Path, root: Path) -> Change:
    """The files that `git apply` would make of those in `root`, in a folder of their own."""
    with tempfile.TemporaryDirectory(prefix="outpace-patch-") as name:
        folder = Path(name)
        paths = sorted(_paths_of(patch, folder))
        for path in paths:
            if (root / path).is_file():
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes((root / path).read_bytes())
        _git(patch, folder, "--whitespace=nowarn")
        after = {path: (folder / path).read_bytes() if (folder / path).is_file() else None for path in paths}
    before = {path: (root / path).read_bytes() if (root / path).is_file() else None for path in paths}
    return Change({path: after[path] for path in paths if after[path] != before[path]})


def _paths_of(patch: Path, folder: Path) -> Iterator[str]:
    for entry in _git(patch, folder, "--numstat", "-z").split("\0"):
        path = entry.split("\t")[-1]
        if path and (path.startswith("/") or ".." in path.split("/")):
            raise TrainingError(f"{patch}: {path} leaves the project")
        if path:
            yield path


def _git(patch: Path, folder: Path, *options: str) -> str:
    environ = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    environ["GIT_CEILING_DIRECTORIES"] = str(folder.parent)  # inside a repository it would leave out files
    try:
        done = subprocess.run(
            [PROGRAM, "apply", *options, str(patch.resolve())],
            cwd=folder, env=environ, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
    except FileNotFoundError as error:
        raise TrainingError(f"{patch}: patches need git: install it, or name a folder with the changed tree") from error
    if done.returncode:
        reason = done.stderr.strip().splitlines()
        raise TrainingError(f"{patch} does not apply to the project: {reason[0] if reason else 'git apply failed'}")
    return done.stdout


def _lines(data: bytes | None) -> list[str] | None:
    if data is None:
        return []
    try:
        return data.decode().splitlines(keepends=True)
    except UnicodeDecodeError:
        return None
