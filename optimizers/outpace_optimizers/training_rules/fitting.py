"""What training rules share: saying why they do not apply, and writing calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable

from outpace_optimizers.rules.writing import Edit, added_keyword
from outpace_optimizers.source import Source


class DoesNotApply(Exception):  # noqa: N818  # an answer, no fault
    """Why a rule proposes nothing for a script: what it lacks, or has already."""


def first_line(nodes: Iterable[ast.AST]) -> int | None:
    return min((line for node in nodes if (line := getattr(node, "lineno", None)) is not None), default=None)


def unindented(source: Source, call: ast.Call, name: str, value: str) -> str:
    """The call with one keyword more. Writing puts the indent of its block before each of its lines."""
    line = source.lines[call.lineno - 1]
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    first, *rest = source.segment(call).split("\n")
    return added_keyword("\n".join([first, *(one.removeprefix(margin) for one in rest)]), name, value)


def after(source: Source, edit: Edit, block: list[ast.stmt], node: ast.stmt, text: str) -> None:
    """One statement more, behind another."""
    place = block.index(node) + 1
    if place < len(block):
        edit.before(source, block[place], [text])
    else:
        edit.replace(source, node, [source.segment(node), text])
