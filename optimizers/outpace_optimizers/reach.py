"""Which files of the user's project a target's file reaches by import, or has built: what a verdict depends on. Nothing
is run."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from outpace_audit.native_builds import MODULE, SUFFIXES
from outpace_optimizers.source import base_hash, tree_of

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
        waiting += [(init, _read(init)) for init in _packages(file) if init.is_relative_to(root.resolve())]
        waiting += [(other, _read(other)) for other in _imported(file, source, root.resolve())]
        found |= {_name(other, root): base_hash(_read(other)) for other in _built(file, source, root.resolve())}
    return found


def moved_back(reached: dict[str, str], file: Path, then: Path, root: Path) -> dict[str, str]:
    """What `file` reaches, by the names that it had where the file stood `then`: its own, and where its folder was
    renamed those of all that lies in it. Names within a project that was moved whole are what they were."""
    home = root.resolve()
    if file == then or not (file.is_relative_to(home) and then.is_relative_to(home)):
        return reached
    here, there = list(file.relative_to(home).parts), list(then.relative_to(home).parts)
    while len(here) > 1 and len(there) > 1 and here[-1] == there[-1]:
        del here[-1], there[-1]
    now, before = "/".join(here), "/".join(there)
    return {_renamed(name, now, before): source for name, source in reached.items()}


def _renamed(name: str, now: str, before: str) -> str:
    return before + name.removeprefix(now) if f"{name}/".startswith(f"{now}/") else name


def _built(file: Path, source: str, root: Path) -> Iterator[Path]:
    """C++ and CUDA files that it names where it builds extensions, and those beside them, which they may include."""
    if MODULE.rpartition(".")[2] not in source:
        return
    try:
        tree = tree_of(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, (ast.Constant, ast.Call, ast.BinOp)):
            named = "/".join(text for text in _strings(node))
            path = (file.parent / named).resolve() if named.endswith(SUFFIXES) and "\n" not in named else None
            if path is not None and path.is_relative_to(root) and path.is_file():
                yield from (one for one in sorted(path.parent.iterdir()) if one.suffix in SUFFIXES and one.is_file())


def _strings(node: ast.AST) -> Iterator[str]:
    """In their order: the parts of `os.path.join(HERE, "csrc", "sums.cu")`, or of `HERE / "csrc" / "sums.cu"`."""
    if isinstance(node, ast.Constant):
        yield from [node.value] if isinstance(node.value, str) else []
    for child in ast.iter_child_nodes(node):
        yield from _strings(child)


def _imported(file: Path, source: str, root: Path) -> Iterator[Path]:
    roots = _roots(file, root)
    for level, parts in _imports(source):
        yield from _files_of(parts, [_parent(file, level)] if level else roots, root)


@lru_cache(maxsize=64)
def _imports(source: str) -> tuple[tuple[int, tuple[str, ...]], ...]:
    """Dots before a name, and its parts. Kept: a long file has hundreds of targets, and is asked about for each."""
    try:
        tree = tree_of(source)
    except (SyntaxError, ValueError):
        return ()
    found: list[tuple[int, tuple[str, ...]]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(0, tuple(alias.name.split("."))) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = node.module.split(".") if node.module else []
            found += [(node.level, (*module, alias.name)) for alias in node.names]
    return tuple(found)


def _roots(file: Path, root: Path) -> list[Path]:
    """Where absolute imports may start: beside the file, above its package, and at the project's roots."""
    above = [init.parent.parent for init in _packages(file)[-1:]]
    return [file.parent, *above, *(root / name for name in SOURCE_ROOTS)]


def _packages(file: Path) -> list[Path]:
    """`__init__.py` of the packages that hold the file, the innermost first; importing the file runs them all."""
    found: list[Path] = []
    folder = file.parent
    while (folder / "__init__.py").is_file():
        found.append(folder / "__init__.py")
        folder = folder.parent
    return found


def _parent(file: Path, level: int) -> Path:
    folder = file.parent
    for _ in range(level - 1):
        folder = folder.parent
    return folder


def _files_of(parts: tuple[str, ...], starts: list[Path], root: Path) -> Iterator[Path]:
    """Every file that importing the dotted name might run; which start comes first is not known here."""
    for start in starts:
        yield from (file for file in _chain(start, parts) if file.is_relative_to(root))


def _chain(start: Path, parts: tuple[str, ...]) -> Iterator[Path]:
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
