"""Which files of the user's project a target's file reaches by import: what a verdict depends on. Nothing is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from outpace_optimizers.source import base_hash

SOURCE_ROOTS = ("", "src")
"""Below the project: where a package is imported from when its project is installed."""


def reached_files(path: Path, text: str, root: Path) -> dict[str, str]:
    """Hash by file, relative to `root`: the file itself with `text`, and what it imports from within `root`.

    Imports inside functions and conditions count, since any may run. What cannot be read or parsed counts by its bytes.
    """
    found: dict[str, str] = {}
    waiting = [(path.resolve(), text)]
    while waiting:
        file, source = waiting.pop()
        name = _name(file, root)
        if name in found:
            continue
        found[name] = base_hash(source)
        waiting += [(other, _read(other)) for other in _imported(file, source, root.resolve())]
    return found


def _imported(file: Path, source: str, root: Path) -> Iterator[Path]:
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield from _files_of(alias.name.split("."), _roots(file, root), root)
        elif isinstance(node, ast.ImportFrom):
            starts = [_parent(file, node.level)] if node.level else _roots(file, root)
            module = node.module.split(".") if node.module else []
            for alias in node.names:
                yield from _files_of([*module, alias.name], starts, root)


def _roots(file: Path, root: Path) -> list[Path]:
    return [file.parent, *(root / name for name in SOURCE_ROOTS)]


def _parent(file: Path, level: int) -> Path:
    folder = file.parent
    for _ in range(level - 1):
        folder = folder.parent
    return folder


def _files_of(parts: list[str], starts: list[Path], root: Path) -> Iterator[Path]:
    """Every file that importing the dotted name would run, from the first start that has any."""
    for start in starts:
        files = list(_chain(start, parts))
        if files:
            yield from (file for file in files if file.is_relative_to(root))
            return


def _chain(start: Path, parts: list[str]) -> Iterator[Path]:
    folder = start
    for part in parts:
        module, package = folder / f"{part}.py", folder / part / "__init__.py"
        folder = folder / part
        if package.is_file():
            yield package.resolve()
        elif module.is_file():
            yield module.resolve()
            return
        elif not folder.is_dir():
            return


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode("utf-8", "surrogateescape")
    except OSError:
        return ""


def _name(file: Path, root: Path) -> str:
    try:
        return file.relative_to(root.resolve()).as_posix()
    except ValueError:
        return file.as_posix()
