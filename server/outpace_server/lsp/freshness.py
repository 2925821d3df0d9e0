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
from outpace_optimizers.source import lines_of
from outpace_server.lsp.regions import differing, line_edits, parsed

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


def block_between(before: str, after: str) -> Block | None:
    """The smallest block that holds all differences; None where there are none."""
    if before == after:
        return None
    start, old, new = differing(before, after)
    return Block(start, start + len(lines_of(old)), start + len(lines_of(new)))


def holds_for(base: str, changed: str, block: Block, symbol: str) -> bool:
    """Whether `changed`, an edit of `base`, can be made in a text that differs from `base` in this block, and touches
    nothing that it depends on."""
    touched, live = _touched(base, block), _live_numbers(base, symbol)
    if touched is None or live is None or not touched.isdisjoint(live):  # what does not parse may depend on any line
        return False
    edges = (block.start, block.end)  # which of two insertions comes first is not ours to say
    return all(
        (edit.end <= block.start or edit.start >= block.end) and not (edit.start == edit.end in edges)
        for edit in line_edits(base, changed)
    )


def carried_over(base: str, changed: str, text: str) -> str:
    """`changed`, an edit of `base`, as the same edit of a `text` that it holds for."""
    block = block_between(base, text)
    if block is None:
        return changed
    lines = lines_of(text)
    for edit in reversed(line_edits(base, changed)):
        lines[block.moved(edit.start) : block.moved(edit.start) + edit.end - edit.start] = lines_of(edit.text)
    return "".join(lines)


def same_reach(base: str, text: str, symbol: str) -> bool:
    """Whether all that the target can reach within the file is the same code."""
    if base == text:
        return True
    outline = _outline(base, symbol)
    return outline is not None and outline == _outline(text, symbol)


@lru_cache(maxsize=1024)
def reach_id(text: str, symbol: str) -> str:
    """The same for texts in which the target reaches the same code, whatever stands around it."""
    return content_id(_outline(text, symbol) or text)


@lru_cache(maxsize=16)
def _touched(text: str, block: Block) -> frozenset[int] | None:
    """The statements of the top level that a block lies in or reaches into."""
    parts = _parts(text)
    return None if parts is None else frozenset(one.number for one in parts if block.touches(one.first, one.end))


@lru_cache(maxsize=1024)
def _live_numbers(text: str, symbol: str) -> frozenset[int] | None:
    """Statements that the target may depend on: those of the top level, and the definitions that something mentions."""
    live = live_parts(text, symbol)
    return None if live is None else frozenset(part.number for part in live)


@lru_cache(maxsize=64)
def _outline(text: str, symbol: str) -> tuple[str, ...] | None:
    live, tree = live_parts(text, symbol), parsed(text)
    return None if live is None or tree is None else tuple(ast.dump(tree.body[part.number]) for part in live)


@dataclass(frozen=True, slots=True)
class Part:
    """A statement of the top level: its lines, the words in it, and what it defines as a function or class."""

    number: int
    first: int
    end: int
    words: frozenset[str]
    name: str | None


@lru_cache(maxsize=8)
def _parts(text: str) -> tuple[Part, ...] | None:
    tree = parsed(text)
    if tree is None:
        return None
    return tuple(
        Part(
            number, _first_line(node) - 1, node.end_lineno or node.lineno, frozenset(_words(node)),
            node.name if isinstance(node, _Definition) else None,
        )
        for number, node in enumerate(tree.body)
    )  # fmt: skip


@lru_cache(maxsize=8)
def _always(text: str) -> tuple[frozenset[int], frozenset[str], dict[str, tuple[Part, ...]]]:
    """What is live for any target: its statements, and the words in them; and all definitions by their name."""
    live: set[int] = set()
    words: set[str] = set(INPUT_MAKERS)
    named: dict[str, tuple[Part, ...]] = {}
    for part in _parts(text) or ():
        if part.name is not None:
            named[part.name] = (*named.get(part.name, ()), part)
        if part.name is None or part.name.startswith(INPUT_MAKERS):
            live.add(part.number)
            words |= part.words
    return frozenset(live), frozenset(words), named


def live_parts(text: str, symbol: str) -> list[Part] | None:
    parts = _parts(text)
    if parts is None:
        return None
    always, words, named = _always(text)
    live, wanted = set(always), [*words, symbol.partition(".")[0]]
    seen = set(wanted)
    while wanted:
        for part in named.get(wanted.pop(), ()):
            if part.number not in live:
                live.add(part.number)
                wanted += part.words - seen
                seen |= part.words
    return [part for part in parts if part.number in live]


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
