"""Which code objects of the project are calls of interest: read from the file's syntax tree by first line and name."""

from __future__ import annotations

import ast
import os
import sys
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal

from outpace_audit.global_names import names_read

Kind = Literal["function", "forward", "init"]
METHODS: dict[str, Kind] = {"forward": "forward", "__init__": "init"}
FOREIGN = ("site-packages", "dist-packages", "node_modules")
_UNSUITED = 0x20 | 0x80 | 0x100 | 0x200
"""CO_GENERATOR, CO_COROUTINE, CO_ITERABLE_COROUTINE, CO_ASYNC_GENERATOR: a call does not run the body."""


@dataclass(frozen=True, slots=True)
class Definition:
    """A top-level function, or a method of a top-level class. `owner` is the class."""

    path: str
    kind: Kind
    name: str
    owner: str | None = None


class Project:
    """Knows which files are the user's, and what they define."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._environment = Path(sys.prefix).resolve()

    def definition_of(self, code: types.CodeType) -> Definition | None:
        """None for code of others, nested functions, generators and coroutines."""
        if code.co_flags & _UNSUITED or code.co_filename.startswith("<"):
            return None
        path = self.own(code.co_filename)
        return None if path is None else definitions(path).get((code.co_firstlineno, code.co_name))

    def own(self, filename: str) -> str | None:
        """The file's full name, if it is the project's: neither installed, nor hidden, nor of an environment."""
        try:
            path = Path(os.path.realpath(filename))
        except OSError:  # of a relative name, where the working folder is gone
            return None
        if self.root not in path.parents or self._environment in path.parents:
            return None
        inner = path.relative_to(self.root).parts
        return None if any(part.startswith(".") or part in FOREIGN for part in inner) else str(path)


@cache
def definitions(path: str) -> dict[tuple[int, str], Definition]:
    """By first line (that of the first decorator) and name."""
    return dict(_found(path, _body(path)))


@cache
def names_of_definitions(path: str) -> frozenset[str]:
    """Module-level names that the file's definitions read."""
    nodes = [node for node in _body(path) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))]
    return frozenset(name for node in nodes for name in names_read(node))


@cache
def _body(path: str) -> list[ast.stmt]:
    """Empty for what cannot be read or parsed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(Path(path).read_bytes()).body
    except (OSError, SyntaxError, ValueError, RecursionError):
        return []


def _found(path: str, body: list[ast.stmt]) -> Iterator[tuple[tuple[int, str], Definition]]:
    for node in body:
        if isinstance(node, ast.FunctionDef):
            yield (_first_line(node), node.name), Definition(path, "function", node.name)
        elif isinstance(node, ast.ClassDef):
            for item in node.body:
                if isinstance(item, ast.FunctionDef) and (kind := METHODS.get(item.name)) is not None:
                    yield (_first_line(item), item.name), Definition(path, kind, item.name, node.name)
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            for block in ("body", "orelse", "finalbody"):
                yield from _found(path, getattr(node, block, []))


def _first_line(node: ast.FunctionDef) -> int:
    return min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
