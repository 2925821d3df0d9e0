"""What training rules share: saying why they do not apply, and writing calls."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

import libcst as cst

from outpace_optimizers.rules.writing import Edit
from outpace_optimizers.source import Source


class DoesNotApply(Exception):  # noqa: N818  # an answer, no fault
    """Why a rule proposes nothing for a script: what it lacks, or has already."""


def first_line(nodes: Iterable[ast.AST]) -> int | None:
    return min((line for node in nodes if (line := getattr(node, "lineno", None)) is not None), default=None)


def unindented(source: Source, call: ast.Call, name: str, value: str) -> str:
    """The call with one keyword more."""
    return with_keywords(source, call, {name: value})


def with_keywords(source: Source, call: ast.Call, more: Mapping[str, str]) -> str:
    """The call with keywords more. Writing puts the indent of its block before each of its lines."""
    line = source.lines[call.lineno - 1]
    margin = line[: len(line) - len(line.lstrip(" \t"))]
    first, *rest = source.segment(call).split("\n")
    text = "\n".join([first, *(one.removeprefix(margin) for one in rest)])
    for name, value in more.items():
        text = _added_keyword(text, name, value)
    return text


def after(source: Source, edit: Edit, block: list[ast.stmt], node: ast.stmt, text: str) -> None:
    """One statement more, behind another."""
    place = block.index(node) + 1
    if place < len(block):
        edit.before(source, block[place], [text])
    else:
        edit.replace(source, node, [source.segment(node), text])


def _added_keyword(text: str, name: str, value: str) -> str:
    """A call with one keyword more, in the layout of its arguments. Lines after the first are as they stand in a block
    without indent."""
    call = cst.ensure_type(cst.parse_expression(text), cst.Call)
    new = cst.ensure_type(cst.parse_expression(f"f({name}={value})"), cst.Call).args[0]
    if not call.args:
        return cst.Module([]).code_for_node(call.with_changes(args=[new]))
    *before, last = call.args
    comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
    if isinstance(last.comma, cst.Comma):
        end, between = last.comma.whitespace_after, call.whitespace_before_args
        if isinstance(end, cst.ParenthesizedWhitespace) and isinstance(between, cst.ParenthesizedWhitespace):
            comma = last.comma.with_changes(whitespace_after=end.with_changes(last_line=between.last_line))
            end = end.with_changes(first_line=cst.TrailingWhitespace(), empty_lines=())
        new = new.with_changes(comma=cst.Comma(whitespace_after=end))
    new = new.with_changes(whitespace_after_arg=last.whitespace_after_arg)
    last = last.with_changes(comma=comma, whitespace_after_arg=cst.SimpleWhitespace(""))
    return cst.Module([]).code_for_node(call.with_changes(args=[*before, last, new]))
