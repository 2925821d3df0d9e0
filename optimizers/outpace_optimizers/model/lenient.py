"""Objects in what a model wrote: JSON, or what is JSON but for marks that mean one thing only.

Taken besides JSON: text around an object, comments, a comma too many, keys without quotes, quotes of Python, of
JavaScript and of typesetters, Python's constants, and ends of lines within a text. Where a text could mean two things
(`\\d`, a backslash between triple quotes, a field that occurs twice) the object is not read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

DEPTH = 24
"""Of objects and lists within each other: an idea has four."""
STARTS = 48
"""Braces that begin no object, after which no more are tried: each may cost a walk through the whole reply."""

_START = re.compile(r"\{\s*(?:[\"'`“}]|//|/\*|#|[A-Za-z_]\w*\s*:)")
_IDLE = re.compile(r"(?:\s+|//[^\n]*|\#[^\n]*|/\*.*?\*/)*", re.DOTALL)
_ENDS = {'"': '"', "'": "'", "`": "`", "“": "”"}
_PLAIN = {quote: re.compile(rf"[^{end}\\]*") for quote, end in _ENDS.items()}
_BARE = re.compile(r"[A-Za-z_]\w*")
_NUMBER = re.compile(r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?(?![\w.])")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|([\"'\\/bfnrt]))")
_ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_WORDS = {"true": True, "false": False, "null": None, "True": True, "False": False, "None": None}


class NotReadError(ValueError):
    """Why the text from here on is no object. `at`: where reading stopped."""

    def __init__(self, reason: str, at: int) -> None:
        super().__init__(reason)
        self.at = at


@dataclass(frozen=True, slots=True)
class Found:
    start: int
    end: int
    value: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Broken:
    """A brace from which no object could be read."""

    start: int
    reason: str


def whole(text: str) -> Any:
    """The value that the text is, by JSON's own rules. Raises ValueError."""
    try:
        return json.loads(text, object_pairs_hook=_once, strict=False)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def objects(text: str) -> Iterator[Found | Broken]:
    """The outermost ones, in their order; what stands inside a broken one counts as outermost."""
    at = broken = 0
    while broken < STARTS and (start := _START.search(text, at)):
        begin = start.start()
        try:
            value, at = _strictly(text, begin)
        except (ValueError, RecursionError):
            try:
                value, at = _object(text, begin, 0)
            except NotReadError as error:
                broken, at = broken + 1, begin + 1
                yield Broken(begin, str(error))
                continue
        yield Found(begin, at, value)


def _strictly(text: str, start: int) -> tuple[dict[str, Any], int]:
    return json.JSONDecoder(object_pairs_hook=_once, strict=False).raw_decode(text, start)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """JSON leaves open which of two fields of one name counts."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a field occurs twice")
    return found


def _skipped(text: str, at: int) -> int:
    found = _IDLE.match(text, at)
    assert found is not None, "it may be empty"
    return found.end()


def _value(text: str, at: int, depth: int) -> tuple[Any, int]:
    if depth > DEPTH:
        raise NotReadError("it is nested too deeply", at)
    at = _skipped(text, at)
    first = text[at : at + 1]
    if first == "{":
        return _object(text, at, depth)
    if first == "[":
        return _list(text, at, depth)
    if first in _ENDS and first:
        return _text(text, at)
    if number := _NUMBER.match(text, at):
        return float(number[0]), number.end()
    if (word := _BARE.match(text, at)) and word[0] in _WORDS:
        return _WORDS[word[0]], word.end()
    raise NotReadError(f"a value is wanted{_seen(text, at)}", at)


def _object(text: str, at: int, depth: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    at = _skipped(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = _key(text, at)
        at = _skipped(text, at)
        if text[at : at + 1] != ":":
            raise NotReadError(f"a colon is wanted{_seen(text, at)}", at)
        value, at = _value(text, at + 1, depth + 1)
        if key in found:
            raise NotReadError("a field occurs twice", at)
        found[key] = value
        at = _after(text, at, "}")
    return found, at + 1


def _list(text: str, at: int, depth: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    at = _skipped(text, at + 1)
    while text[at : at + 1] != "]":
        value, at = _value(text, at, depth + 1)
        found.append(value)
        at = _after(text, at, "]")
    return found, at + 1


def _after(text: str, at: int, end: str) -> int:
    """Behind a comma, or at the end of what it stands in."""
    at = _skipped(text, at)
    if text[at : at + 1] == ",":
        return _skipped(text, at + 1)
    if text[at : at + 1] != end:
        raise NotReadError(f"a comma or {end} is wanted{_seen(text, at)}", at)
    return at


def _key(text: str, at: int) -> tuple[str, int]:
    if text[at : at + 1] in _ENDS and at < len(text):
        return _text(text, at)
    if bare := _BARE.match(text, at):
        return bare[0], bare.end()
    raise NotReadError(f"a field is wanted{_seen(text, at)}", at)


def _text(text: str, at: int) -> tuple[str, int]:
    quote = text[at]
    if text.startswith(quote * 3, at) and quote in "\"'":
        return _verbatim(text, at, quote * 3)
    if quote == "`":
        return _verbatim(text, at, quote)
    end, parts = at + 1, list[str]()
    while True:
        plain = _PLAIN[quote].match(text, end)
        assert plain is not None, "it may be empty"
        parts.append(plain[0])
        end = plain.end()
        if end >= len(text):
            raise NotReadError("it ends in the midst of a text", end)
        if text[end] == _ENDS[quote]:
            return _joined(parts), end + 1
        escape = _ESCAPE.match(text, end)
        if escape is None:
            raise NotReadError(f"{text[end : end + 2]} is no escape: write a backslash of code as two", end)
        parts.append(chr(int(escape[1], 16)) if escape[1] else _ESCAPES.get(escape[2], escape[2]))
        end = escape.end()


def _verbatim(text: str, at: int, quote: str) -> tuple[str, int]:
    """Between quotes in which a backslash, or `${`, would be somebody's escape."""
    begin = at + len(quote)
    end = text.find(quote, begin)
    if end < 0:
        raise NotReadError("it ends in the midst of a text", len(text))
    inner = text[begin:end]
    if "\\" in inner or "${" in inner:
        raise NotReadError(f"a backslash or ${{ between {quote} may mean two things: write JSON", begin)
    return inner, end + len(quote)


def _joined(parts: list[str]) -> str:
    """With both halves of a surrogate pair as the one character that they are."""
    return _PAIR.sub(lambda pair: pair[0].encode("utf-16", "surrogatepass").decode("utf-16"), "".join(parts))


def _seen(text: str, at: int) -> str:
    return f", not {text[at : at + 12]!r}" if at < len(text) else ", but the text ends"
