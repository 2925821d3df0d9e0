"""Where a target has C++ or CUDA built, and edits of that: of a call's flags, and within the texts that it compiles."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from outpace_audit.constants import Changeable
from outpace_audit.native_builds import Build, Language, NativeText, builds
from outpace_audit.records import Code, Patch, Span
from outpace_optimizers.source import Source, base_hash, differs_outside, mentioned, module_level, parse, reached

_QUOTES = re.compile(r"([rRuU]?)(\"\"\"|'''|\"|')")


@dataclass(frozen=True, eq=False)
class Site:
    """One build. `span`: the definition, or the statement of the top level, that it stands in."""

    source: Source
    build: Build
    span: str

    @property
    def label(self) -> str:
        name = self.build.arguments.get("name")
        return str(name.value) if isinstance(name, ast.Constant) else self.span

    def texts(self, language: Language) -> list[NativeText]:
        return [text for text in self.build.texts if text.language == language]


@dataclass(frozen=True, eq=False)
class Written:
    """A text that is compiled, at its place in the Python file: character `i` of it stands at `start` + i."""

    text: str
    start: int
    span: str


@dataclass
class Splices:
    """Characters of a file to be replaced, and the spans that are changed with them."""

    source: Source
    edits: list[tuple[int, int, str]] = field(default_factory=list[tuple[int, int, str]])
    spans: list[str] = field(default_factory=list[str])

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.source.lines:
            starts.append(starts[-1] + len(line))
        return starts

    def offset(self, position: tuple[int, int]) -> int:
        return self._starts[position[0] - 1] + position[1]

    def replace(self, start: int, end: int, text: str, span: str) -> None:
        self.edits.append((start, end, text))
        self.spans += [] if span in self.spans else [span]

    def patch(self, code: Code) -> Patch | None:
        """None where nothing changes, or more than may."""
        text = code.source
        for start, end, new in sorted(self.edits, reverse=True):
            text = text[:start] + new + text[end:]
        if text == code.source or differs_outside(code.source, text, tuple(self.spans)):
            return None
        return Patch(code.path, base_hash(code.source), text, tuple(Span(span) for span in self.spans))


def sites(code: Code) -> list[Site]:
    """The builds that the target reaches within its file."""
    source = parse(code.path, code.source)
    if not code.builds or code.symbol not in source.definitions:
        return []
    inside = {id(node): one for one in reached(source, code.symbol) for node in ast.walk(one.node)}
    names = names_reached(source, code.symbol)
    changeable = Changeable(source.tree)
    outer = {id(node.value): name for node in source.tree.body if isinstance(node, ast.Assign)
             and (name := changeable.name(node)) is not None}  # fmt: skip
    found: list[Site] = []
    for build in builds(source.tree):
        name = outer.get(id(build.node))
        if id(build.node) in inside:
            found.append(Site(source, build, inside[id(build.node)].qualname))
        elif name is not None and name in names:
            found.append(Site(source, build, name))
    return found


def names_reached(source: Source, symbol: str) -> set[str]:
    """Names of the top level that the target's definitions mention, and what these are made of."""
    names = set[str]().union(*(mentioned(one.node)[0] for one in reached(source, symbol)))
    statements = [node for node in module_level(source.tree.body) if isinstance(node, ast.Assign)]
    size = -1
    while size != len(names):
        size = len(names)
        for node in statements:
            if any(isinstance(target, ast.Name) and target.id in names for target in node.targets):
                names |= mentioned(node.value)[0]
    return names


def written(site: Site, text: NativeText, splices: Splices) -> Written | None:
    """None where escapes, or line ends, make the file's text another than what is compiled, or where other code reads
    the string."""
    source = site.source
    if "\r" in source.text or (text.constant is not None and _span_of(site, text) is None):
        return None
    segment = source.segment(text.node)
    opening = _QUOTES.match(segment)
    if opening is None or segment[opening.end() : -len(opening[2])] != text.text:
        return None
    span = _span_of(site, text)
    return Written(text.text, splices.offset(source.start(text.node)) + opening.end(), span) if span else None


def _span_of(site: Site, text: NativeText) -> str | None:
    """What a patch declares that changes the text."""
    inner = {id(node) for node in ast.walk(site.build.node)}
    if id(text.node) in inner:
        return site.span
    changeable = Changeable(site.source.tree)
    for node in site.source.tree.body:
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is text.node:
            return changeable.name(node)
    owner = site.source.definitions.get(site.span)
    return site.span if owner is not None and text.node in ast.walk(owner.node) else None


def set_flags(site: Site, splices: Splices, argument: str, flags: Sequence[str]) -> None:
    """Makes the argument, which has a readable value or none, a list of these."""
    call, source = site.build.node, site.source
    text = "[" + ", ".join(f'"{flag}"' for flag in flags) + "]"
    present = site.build.arguments.get(argument)
    if present is not None:
        start, end = splices.offset(source.start(present)), splices.offset(source.end(present))
        splices.replace(start, end, text, site.span)
        return
    last = max([*call.args, *(key.value for key in call.keywords)], key=source.end)
    place = splices.offset(source.end(last))
    splices.replace(place, place, _separator(site, last) + f"{argument}={text}", site.span)


def _separator(site: Site, last: ast.expr) -> str:
    """On a line of its own, where arguments stand so."""
    source, call = site.source, site.build.node
    if source.end(call)[0] == source.end(last)[0]:
        return ", "
    keyword = next((key for key in site.build.node.keywords if key.value is last), None)
    line = source.lines[(keyword.lineno if keyword is not None else last.lineno) - 1]
    return f",{source.newline}{line[: len(line) - len(line.lstrip())]}"
