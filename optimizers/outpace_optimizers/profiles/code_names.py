"""Which function of the user's project a frame of a trace belongs to: frames have a file, a line and a bare name."""

from __future__ import annotations

import ast
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from outpace_audit.capture.definitions import Project
from outpace_optimizers.source import tree_of

FRAME = re.compile(r"(?P<file>.+?)\((?P<line>\d+)\): (?P<name>.+)")
MODULE = re.compile(r"nn\.Module: (?P<name>.+)_\d+")
TOP_LEVEL = "<module>"
_Function = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class FunctionName:
    """`line` is that of `def`, or 1 for a file's top level."""

    path: str
    name: str
    line: int


@dataclass(frozen=True, slots=True)
class Span:
    """A definition from `first` to `last`, decorators too; `line` is that of `def` or `class`. Lines count from 1."""

    first: int
    last: int
    line: int
    name: str
    bare: str
    digest: str
    """Of a function's syntax tree, or of what a file does at its top level; empty for a class."""


class CodeNames:
    """Kineto cuts the longest matching entry of `sys.path` off a file's name."""

    def __init__(self, root: Path, sys_path: Sequence[str]) -> None:
        self._project = Project(root)
        self._places = [Path(place) for place in (*sys_path, str(self._project.root)) if place]
        self._files: dict[str, str | None] = {}

    def function(self, frame: str) -> FunctionName | None:
        """None for frames of others, and for comprehensions and lambdas, which are part of what holds them."""
        found = FRAME.fullmatch(frame)
        if found is None or (found["name"].startswith("<") and found["name"] != TOP_LEVEL):
            return None
        path = self._file(found["file"])
        if path is None:
            return None
        if found["name"] == TOP_LEVEL:
            return FunctionName(path, TOP_LEVEL, 1)
        span = _innermost(path, found["name"], int(found["line"]))
        return None if span is None else FunctionName(path, span.name, span.line)

    def _file(self, name: str) -> str | None:
        if name not in self._files:
            places = [Path(name)] if Path(name).is_absolute() else [place / name for place in self._places]
            existing = next((place for place in places if place.is_file()), None)
            self._files[name] = None if existing is None else self._project.own(str(existing))
        return self._files[name]


def digest_of(path: str, name: str) -> str | None:
    """Of a function's syntax tree, or of what a file does at its top level; None where there is no such function now.

    Comments and layout do not count.
    """
    spans = _spans(path)
    return next((span.digest for span in reversed(spans) if span.name == name and span.digest), None)


def spans_in(text: str) -> tuple[Span, ...]:
    """Of all functions and classes, and of the top level; nothing where the text does not parse."""
    try:
        tree = tree_of(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return ()
    top = [node for node in tree.body if not isinstance(node, (*_Function, ast.ClassDef))]
    whole = Span(1, 10**9, 1, TOP_LEVEL, TOP_LEVEL, _digest(top))
    return (whole, *_inner(tree, ""))


def forget_files() -> None:
    """Files are read once for a profile; they may have changed since."""
    _spans.cache_clear()


def _innermost(path: str, bare: str, line: int) -> Span | None:
    functions = (span for span in _spans(path) if span.digest)
    holding = [span for span in functions if span.bare == bare and span.first <= line <= span.last]
    return max(holding, key=lambda span: span.first, default=None)


def called(node: ast.Call) -> str:
    """`AdamW` of `torch.optim.AdamW(...)`."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


@cache
def _spans(path: str) -> tuple[Span, ...]:
    try:
        return spans_in(Path(path).read_bytes().decode("utf-8", "replace"))
    except OSError:
        return ()


def _inner(node: ast.AST, prefix: str) -> Iterator[Span]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, (*_Function, ast.ClassDef)):
            name = f"{prefix}{child.name}"
            first = min([child.lineno, *(decorator.lineno for decorator in child.decorator_list)])
            digest = "" if isinstance(child, ast.ClassDef) else _digest([child])
            yield Span(first, child.end_lineno or child.lineno, child.lineno, name, child.name, digest)
            yield from _inner(child, f"{name}.")
        else:
            yield from _inner(child, prefix)


def _digest(nodes: Sequence[ast.AST]) -> str:
    return hashlib.sha256("\n".join(ast.dump(node) for node in nodes).encode("utf-8", "surrogatepass")).hexdigest()[:16]
