"""Whether what was measured on one text holds for another, and a change carried over to it.

A verdict holds as long as nothing is touched that its target can reach within the file. Two tests, one for each
keystroke and one before anything is applied: lines compared with lines, and what the target reaches compared as
syntax trees.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from outpace_audit.records import content_id
from outpace_optimizers.source import lines_of, tree_of
from outpace_server.lsp.regions import common_ends, line_edits

INPUT_MAKERS = ("get_inputs", "get_init_inputs")
_WORD = re.compile(r"\w+")
_Definition = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


@dataclass(frozen=True, slots=True)
class Block:
    """The lines from `start` up to `end` of one text stand for those from `start` up to `there` of another, which is
    otherwise the same."""

    start: int
    end: int
    there: int

    def moved(self, line: int) -> int:
        """Where a line outside the block lies in the other text."""
        return line if line < self.start else line + self.there - self.end

    def touches(self, first: int, end: int) -> bool:
        """Whether the block, or a gap where lines were put in, lies within the lines from `first` up to `end`."""
        return self.start < end and first < self.end if self.start < self.end else first < self.start < end


@lru_cache(maxsize=64)
def changed_block(before: str, after: str) -> Block | None:
    return block_between(before, after)


def block_between(before: str, after: str) -> Block | None:
    """The smallest block that holds all differences; None where there are none."""
    if before == after:
        return None
    old, new = lines_of(before), lines_of(after)
    start, same = common_ends(old, new)
    return Block(start, len(old) - same, len(new) - same)


def carried_over(base: str, changed: str, text: str, symbol: str) -> str | None:
    """`changed`, an edit of `base`, as the same edit of `text`; None where `text` touches what it depends on."""
    block = changed_block(base, text)
    if block is None:
        return changed
    if any(block.touches(first, end) for first, end in live_lines(base, symbol)):
        return None
    lines = lines_of(text)
    for edit in reversed(line_edits(base, changed)):
        if not (edit.end <= block.start or edit.start >= block.end):
            return None
        if edit.start == edit.end in (block.start, block.end):
            return None  # which of the two insertions comes first is not ours to say
        lines[block.moved(edit.start) : block.moved(edit.start) + edit.end - edit.start] = lines_of(edit.text)
    return "".join(lines)


def same_reach(base: str, text: str, symbol: str) -> bool:
    """Whether all that the target can reach within the file is the same code."""
    if base == text:
        return True
    outline = _outline(base, symbol)
    return outline is not None and outline == _outline(text, symbol)


def reach_id(text: str, symbol: str) -> str:
    """The same for texts in which the target reaches the same code, whatever stands around it."""
    return content_id(_outline(text, symbol) or text)


@lru_cache(maxsize=256)
def live_lines(text: str, symbol: str) -> tuple[tuple[int, int], ...]:
    """Lines that the target may depend on, as (first, end): the top level, without comments between statements and
    without definitions that nothing mentions. All lines where the text does not parse."""
    live = _live(text, symbol)
    if live is None:
        return ((0, len(lines_of(text)) + 1),)
    return tuple((_first_line(node) - 1, node.end_lineno or node.lineno) for node in live)


@lru_cache(maxsize=64)
def _outline(text: str, symbol: str) -> tuple[str, ...] | None:
    live = _live(text, symbol)
    return None if live is None else tuple(ast.dump(node) for node in live)


def _live(text: str, symbol: str) -> list[ast.stmt] | None:
    try:
        body = tree_of(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    waiting = {id(node): node for node in body if isinstance(node, _Definition)}
    words = {symbol.partition(".")[0], *INPUT_MAKERS}
    for node in body:
        if id(node) not in waiting:
            words.update(_words(node))
    while found := [node for node in waiting.values() if node.name in words or node.name.startswith(INPUT_MAKERS)]:
        for node in found:
            del waiting[id(node)]
            words.update(_words(node))
    return [node for node in body if id(node) not in waiting]


def _words(node: ast.AST) -> Iterator[str]:
    """Names, attributes, and what stands in strings: a name can be looked up by its text."""
    for child in ast.walk(node):
        if isinstance(child, ast.Name):
            yield child.id
        elif isinstance(child, ast.Attribute):
            yield child.attr
        elif isinstance(child, ast.Constant) and isinstance(child.value, str):
            yield from _WORD.findall(child.value)


def _first_line(node: ast.stmt) -> int:
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
