"""Where a profile's numbers and suggestions belong in a text as it is now, and which of them no longer hold."""

from __future__ import annotations

import ast
import contextlib
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from outpace_optimizers.profiles.annotations import Advice, Annotations, Mark
from outpace_optimizers.profiles.code_names import TOP_LEVEL, Span, called, spans_in
from outpace_optimizers.profiles.step_gains import Part, functions_of
from outpace_optimizers.source import lines_of, tree_of
from outpace_server.lsp.freshness import Block, block_between
from outpace_server.lsp.regions import Region


@dataclass(frozen=True, slots=True)
class Placed:
    """A function's numbers. `stale`: its code is not what was profiled, and they must not be shown."""

    region: Region
    mark: Mark
    stale: bool
    method: str = ""
    """At the head of a class: the method of it whose numbers these are."""


@dataclass(frozen=True, slots=True)
class PlacedAdvice:
    """`region.header` is the line to mark."""

    region: Region
    advice: Advice


@dataclass(slots=True)
class Sheetful:
    """What one profile says of a `text`, and of texts that differ from it where nothing is said."""

    text: str
    annotations: Annotations
    marks: Sequence[Placed]
    advice: Sequence[PlacedAdvice]
    elsewhere: bool = False
    """Another file of the profiled run has been written since."""
    _moved: tuple[str, Sequence[Placed], Sequence[PlacedAdvice]] | None = field(default=None, repr=False)

    def marks_in(self, text: str) -> Sequence[Placed]:
        """Without those of functions that are being written."""
        return self.marks if text == self.text else self._in(text)[1]

    def advice_in(self, text: str) -> Sequence[PlacedAdvice]:
        return self.advice if text == self.text else self._in(text)[2]

    def part(self, text: str, target: str) -> Part | None:
        """A target's part of the step, as long as the file is what was profiled: one function that takes another time
        changes the shares of all."""
        marks = self.marks_in(text)
        if self.elsewhere or len(marks) < len(self.marks) or any(one.stale for one in marks):
            return None
        own = {one.mark.name: one.mark for one in marks if not one.method}
        mark = next((own[name] for name in functions_of(target) if name in own), None)
        return Part(mark.share, mark.backward_s, mark.around) if mark else None

    def _in(self, text: str) -> tuple[str, Sequence[Placed], Sequence[PlacedAdvice]]:
        if self._moved is None or self._moved[0] != text:
            block = block_between(self.text, text)
            marks = [replace(one, region=where) for one in self.marks if (where := _moved(one.region, block))]
            advice = [replace(one, region=where) for one in self.advice if (where := _moved(one.region, block))]
            self._moved = (text, marks, advice)
        return self._moved


def _moved(region: Region, block: Block | None) -> Region | None:
    """None where something in it was touched."""
    if block is None:
        return region
    if block.touches(region.first, region.last + 1):
        return None
    first, last, header = (block.moved(line) for line in (region.first, region.last, region.header))
    return replace(region, first=first, last=last, header=header)


def place(annotations: Annotations, path: str, text: str) -> Sheetful:
    spans = {span.name: span for span in spans_in(text)}
    lines = lines_of(text)
    known = [one for one in annotations.marks if one.path == path and one.name in spans and one.name != TOP_LEVEL]
    marks = [_placed(one, spans, lines) for one in known]
    marks += _at_classes(marks, spans, lines)
    advice = [one for one in annotations.advice if one.path == path and _holds(one.digest, spans.get(one.name))]
    placed = [PlacedAdvice(where, one) for one in advice if (where := _region_of_advice(one, spans, text, lines))]
    return Sheetful(text, annotations, tuple(marks), tuple(placed), _written_since(annotations, path))


def _written_since(annotations: Annotations, path: str) -> bool:
    others = {one.path for one in annotations.marks} - {path}
    return any(_changed_at(other) > annotations.recorded_at for other in others)


def _changed_at(path: str) -> float:
    """Seconds since 1970; of a file that is gone, now and for ever."""
    try:
        return Path(path).stat().st_mtime
    except OSError:
        return math.inf


def _holds(digest: str | None, span: Span | None) -> bool:
    return span is not None and digest == span.digest


def _placed(mark: Mark, spans: Mapping[str, Span], lines: Sequence[str]) -> Placed:
    span = spans[mark.name]
    return Placed(_region(span, lines), mark, stale=not _holds(mark.digest, span))


def _at_classes(marks: Sequence[Placed], spans: Mapping[str, Span], lines: Sequence[str]) -> Iterator[Placed]:
    """A class takes no time itself: at its head stands the method that takes most."""
    for span in spans.values():
        if not span.digest:
            methods = [one for one in marks if one.mark.name.rpartition(".")[0] == span.name and not one.mark.around]
            if methods:
                most = max(methods, key=lambda one: one.mark.seconds)
                region, method = _region(span, lines), most.mark.name.rpartition(".")[2]
                yield replace(most, region=replace(region, last=region.header), method=method)


def _region(span: Span, lines: Sequence[str]) -> Region:
    header = lines[span.line - 1].rstrip("\r\n")
    return Region(span.first - 1, span.last - 1, span.line - 1, len(header) - len(header.lstrip()), len(header))


def _region_of_advice(one: Advice, spans: Mapping[str, Span], text: str, lines: Sequence[str]) -> Region | None:
    """Where it is about a call that is not there, None: somebody has followed it."""
    span = spans[one.name]
    if not one.call:
        return _region(Span(1, 1, 1, "", "", ""), lines) if one.name == TOP_LEVEL else _region(span, lines)
    call = next(_calls_in(text, one.call, span), None)
    if call is None:
        return None
    line, start, end = call
    first, last = (line - 1, line - 1) if one.name == TOP_LEVEL else (span.first - 1, span.last - 1)
    return Region(first, last, line - 1, _column(lines[line - 1], start), _column(lines[line - 1], end))


def _calls_in(text: str, name: str, span: Span) -> Iterator[tuple[int, int, int]]:
    """(line from 1, first and last column in bytes) of the names of calls."""
    with contextlib.suppress(SyntaxError, ValueError, RecursionError, MemoryError):
        for node in ast.walk(tree_of(text)):
            if isinstance(node, ast.Call) and called(node) == name and span.first <= node.lineno <= span.last:
                function = node.func
                end = function.end_col_offset if function.end_lineno == function.lineno else None
                yield function.lineno, function.col_offset, end or function.col_offset + 1


def _column(line: str, byte: int) -> int:
    return byte if line.isascii() else len(line.encode("utf-8", "surrogatepass")[:byte].decode("utf-8", "replace"))
