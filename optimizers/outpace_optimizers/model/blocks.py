"""Edits that were not written as JSON: SEARCH/REPLACE blocks, unified diffs, the patches of `apply_patch`.

Line numbers are not looked at, since models count badly: a hunk is what it takes away with the lines around it, and has
to stand in the file exactly once like any search block.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)[^`]*")
_SEARCH = re.compile(r"[ \t]*<{5,9} ?(?:SEARCH|ORIGINAL|HEAD)?>?[ \t]*")
_MIDDLE = re.compile(r"[ \t]*={5,9}[ \t]*")
_REPLACE = re.compile(r"[ \t]*>{5,9} ?(?:REPLACE|UPDATED)?[ \t]*")
_FILE = re.compile(r"[ \t#*`]*((?:[\w.-]+/)*[\w-]+\.(?:py|cu|cuh|cpp|cc|h))[`*: \t]*")
_HUNK = re.compile(r"@@.*")
_HEAD = re.compile(r"(?:---|\+\+\+)[ \t]+(\S+).*")
_PATCH = re.compile(
    r"\*\*\* (Update|Add|Delete|Move) (?:File|to): *(\S+).*|\*\*\* (?:Begin|End) Patch.*|\*\*\* End of File"
)
_SIDES = r"search|old_string|old_str|find|original"
_TAG = re.compile(rf"<(?:{_SIDES})>")
_TAGGED = re.compile(
    rf"<({_SIDES})>(?P<search>.*?)</\1>\s*<(replace|new_string|new_str|updated)>(?P<replace>.*?)</\3>", re.DOTALL
)
_DATA = re.compile(r"\s*<!\[CDATA\[(.*?)\]\]>\s*", re.DOTALL)
_BESIDE = ("diff --git ", "index ", "new file mode", "similarity index", "old mode", "new mode", "\\ No newline")
_DIFF = re.compile(r"^(?:@@ ?-\d|@@ ?\n|--- \S+\n\+\+\+ \S+|\*\*\* Begin Patch)", re.MULTILINE)


class BlockError(ValueError):
    """What is wrong with the blocks of a reply."""


@dataclass(frozen=True, slots=True)
class Block:
    """`file`: as the reply names it, or nothing."""

    search: str
    replace: str
    file: str = ""


@dataclass(frozen=True, slots=True)
class Fence:
    """A block of code; `first` and `last`: the lines of its fences."""

    language: str
    text: str
    first: int
    last: int


def fences(text: str) -> list[Fence]:
    """Those that are ended."""
    lines = text.split("\n")
    found: list[Fence] = []
    begun: tuple[int, str, str] | None = None
    for number, line in enumerate(lines):
        fence = _FENCE.fullmatch(line)
        if fence is None:
            continue
        if begun is None:
            begun = number, fence[1], fence[2].lower()
        elif line.strip() == fence[1] and fence[1].startswith(begun[1]):
            inner = "".join(f"{one}\n" for one in lines[begun[0] + 1 : number])
            found.append(Fence(begun[2], inner, begun[0], number))
            begun = None
    return found


def unfenced(text: str) -> str:
    """What stands in the one fence that a text is, or the text."""
    lines = text.replace("\r\n", "\n").strip("\n")
    match fences(lines):
        case [Fence(first=0, last=last, text=inner)] if last == lines.count("\n"):
            return inner.removesuffix("\n")
        case _:
            return text


def blocks(text: str) -> list[Block]:
    """All that a text has, of one of the kinds. Raises BlockError."""
    text = text.replace("\r\n", "\n")
    pairs, hunks = _pairs(text.split("\n")), [one for diff in _diffs(text) for one in _hunks(diff.split("\n"))]
    kinds = [found for found in (pairs, hunks, _tagged(text)) if found]
    if len(kinds) > 1:
        raise BlockError("there are SEARCH/REPLACE blocks, tags or a diff side by side: write one of them")
    return kinds[0] if kinds else []


def _tagged(text: str) -> list[Block]:
    """`<search>...</search><replace>...</replace>`, an end of line or a fence around each text being none of it."""
    found: list[Block] = []
    for tags in _TAGGED.finditer(text):
        search, replace = (_inner(tags[side]) for side in ("search", "replace"))
        found.append(Block(search, replace))
    if found and len(found) != len(_TAG.findall(text)):
        raise BlockError("a <search> is not followed by its <replace>, or is not ended")
    return found


def _inner(text: str) -> str:
    data = _DATA.fullmatch(text)
    return unfenced((data[1] if data is not None else text).strip("\n"))


def _pairs(lines: Sequence[str]) -> list[Block]:
    found: list[Block] = []
    parts: list[list[str]] = []
    file = ""
    for number, line in enumerate(lines):
        if not parts and _SEARCH.fullmatch(line):
            file = _named_above(lines, number) or file
            parts = [[]]
        elif len(parts) == 1 and _MIDDLE.fullmatch(line):
            parts.append([])
        elif len(parts) == 2 and _REPLACE.fullmatch(line):
            search, replace = ("\n".join(part) for part in parts)
            found.append(Block(search, replace, file))
            parts = []
        elif parts and _SEARCH.fullmatch(line):
            raise BlockError("a SEARCH block begins before the one before it has ended")
        elif parts:
            parts[-1].append(line)
    if parts:
        raise BlockError("a SEARCH/REPLACE block is not ended")
    return found


def _named_above(lines: Sequence[str], number: int) -> str:
    for line in reversed(lines[max(0, number - 2) : number]):
        if name := _FILE.fullmatch(line):
            return name[1]
        if line.strip() and not line.lstrip().startswith(("```", "~~~")):
            return ""
    return ""


def _diffs(text: str) -> list[str]:
    every = fences(text)
    fenced = [one.text for one in every if one.language in ("diff", "patch", "udiff")]
    fenced = fenced or [one.text for one in every if _DIFF.search(one.text)]
    if fenced:
        return fenced
    start = _DIFF.search(text)
    return [text[start.start() :]] if start is not None else []


def _hunks(lines: Sequence[str]) -> list[Block]:
    """Where a line begins with no mark, none of those that stay has one."""
    found: list[Block] = []
    before, after = list[str](), list[str]()
    file = ""

    def end() -> None:
        if before != after:
            while before and after and before[-1] == after[-1] == "":
                before.pop()
                after.pop()
            if not any(line.strip() for line in before):
                raise BlockError("a hunk adds lines and has none of the file beside them, so its place is not known")
            found.append(Block("\n".join(before), "\n".join(after), file))
        before.clear()
        after.clear()

    marks = "-+ " if all(_is_told(line) or line[:1] in "-+ \t" for line in lines) else "-+"
    for line in lines:
        if _is_told(line):
            end()
            file = _file_of(_HEAD.fullmatch(line), _PATCH.fullmatch(line), file)
            continue
        bare = line[1:] if line[:1] in marks else line
        before.extend([] if line.startswith("+") else [bare])
        after.extend([] if line.startswith("-") else [bare])
    end()
    return found


def _is_told(line: str) -> bool:
    """Of the diff itself."""
    marks = _HEAD.fullmatch(line) or _PATCH.fullmatch(line) or _HUNK.match(line)
    return marks is not None or line.startswith(_BESIDE)


def _file_of(head: re.Match[str] | None, patch: re.Match[str] | None, before: str) -> str:
    if head is not None:
        if head[1] == "/dev/null":
            raise BlockError("the diff adds or removes a file: change the one that is shown")
        return re.sub(r"^[ab]/", "", head[1])
    if patch is not None and patch[1] is not None:
        if patch[1] != "Update":
            raise BlockError("the patch adds, moves or removes a file: change the one that is shown")
        return patch[2]
    return before
