"""Where a search block stands in a text, and what takes its place.

Character by character first. A block that is nowhere so may differ in blanks at the ends of its lines, in how far it is
indented as a whole, in tabs for blanks, or in quotes of typesetters; it still has to fit one place alone, and
what takes its place is changed in the same way.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

Ranges = Sequence[tuple[int, int]]
"""Of characters, each begin and end."""

PLACES = 50
"""Of one block: none of more is what was meant."""
_STRAIGHT = str.maketrans({
    "“": '"', "”": '"', "„": '"', "‘": "'", "’": "'", "\u00a0": " ", "\u202f": " ",
    "−": "-", "–": "-", "‐": "-", "‑": "-",
})  # fmt: skip
"""What typesetters and web pages make of quotes, blanks and minus."""


class PlaceError(ValueError):
    """Why a block has no place: it `is not in the file`, `is in the file 2 times`."""


@dataclass(frozen=True, slots=True)
class Placed:
    start: int
    end: int
    replace: str


def placed(text: str, search: str, replace: str, within: Ranges, newline: str, unit: str) -> Placed:
    """`within`: where something may change, which decides between several places. `unit`: of the text's indentation.
    Raises PlaceError."""
    ways = [(search, replace)]
    if text == text.translate(_STRAIGHT) and search != search.translate(_STRAIGHT):
        ways.append((search.translate(_STRAIGHT), replace.translate(_STRAIGHT)))
    for wanted, instead in ways:
        found = list(_exactly(text, wanted))
        if found:
            start = _one_of(found, len(wanted), within)
            return Placed(start, start + len(wanted), instead)
    for wanted, instead in ways:
        places = list(_by_lines(text, wanted, instead, newline, unit))
        if places:
            return _only(places, within)
    raise PlaceError("is not in the file")


def _exactly(text: str, part: str) -> Iterator[int]:
    """Places that overlap count as two; of very many the first."""
    at = text.find(part)
    for _ in range(PLACES):
        if at < 0:
            return
        yield at
        at = text.find(part, at + 1)


def _one_of(starts: Sequence[int], length: int, within: Ranges) -> int:
    inside = [at for at in starts if any(begin <= at and at + length <= end for begin, end in within)]
    if len(starts) != 1 and len(inside) != 1:
        raise PlaceError(f"is in the file {len(starts)} times")
    return starts[0] if len(starts) == 1 else inside[0]


def _only(places: Sequence[Placed], within: Ranges) -> Placed:
    inside = [one for one in places if any(begin <= one.start and one.end <= end for begin, end in within)]
    if len(places) != 1 and len(inside) != 1:
        raise PlaceError(f"is in the file {len(places)} times, but for its blanks")
    return places[0] if len(places) == 1 else inside[0]


def _by_lines(text: str, search: str, replace: str, newline: str, unit: str) -> Iterator[Placed]:
    """Whole lines that differ in blanks at their ends alone."""
    lines = text.split("\n")
    wanted, instead = (_trimmed(part.replace("\r\n", "\n").split("\n")) for part in (search, replace))
    bare = [line.strip() for line in wanted]
    stripped = [line.strip() for line in lines]
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    for at in _runs(stripped, bare):
        found = [line.rstrip("\r") for line in lines[at : at + len(bare)]]
        shifted = _shifted(wanted, found, instead, unit)
        if shifted is not None:
            last = at + len(bare) == len(lines)
            end = starts[at + len(bare)] - last
            yield Placed(starts[at], end, newline.join(shifted) + (newline if shifted and not last else ""))


def _runs(lines: Sequence[str], wanted: Sequence[str]) -> Iterator[int]:
    if wanted:
        text, part = ("\n".join(["", *some, ""]) for some in (lines, wanted))
        yield from (text.count("\n", 0, at) for at in _exactly(text, part))


def _trimmed(lines: list[str]) -> list[str]:
    """Without empty lines around it."""
    while lines and not lines[0].strip():
        lines = lines[1:]
    while lines and not lines[-1].strip():
        lines = lines[:-1]
    return lines


def _shifted(wanted: Sequence[str], found: Sequence[str], instead: Sequence[str], unit: str) -> list[str] | None:
    """The lines that take the place, indented as the file is; None where that is not told by what is replaced."""
    margins = {_margin(one): _margin(two) for one, two in zip(wanted, found, strict=True) if one.strip()}
    if any(margins[_margin(one)] != _margin(two) for one, two in zip(wanted, found, strict=True) if one.strip()):
        return None
    moved = [_moved(line, margins, unit) for line in instead]
    return [line for line in moved if line is not None] if None not in moved else None


def _moved(line: str, margins: Mapping[str, str], unit: str) -> str | None:
    if not line.strip():
        return ""
    margin = _margin(line)
    if margin in margins:
        return margins[margin] + line[len(margin) :]
    added = {there.removesuffix(here) if there.endswith(here) else None for here, there in margins.items()}
    if len(added) == 1 and (more := added.pop()) is not None:
        return more + line
    taken = {here.removesuffix(there) if here.endswith(there) else None for here, there in margins.items()}
    if len(taken) == 1 and (less := taken.pop()) is not None:
        return line.removeprefix(less) if line.startswith(less) else None
    return _scaled(margin, margins, unit, line[len(margin) :])


def _scaled(margin: str, margins: Mapping[str, str], unit: str, rest: str) -> str | None:
    """Where one unit stands for another: tabs for blanks, two blanks for four."""
    marks = {*"".join([margin, *margins])}
    if len(marks) > 1 or len({*"".join([unit, *margins.values()])}) > 1:
        return None
    points = sorted((len(here), len(there)) for here, there in margins.items())
    if len(points) > 1:
        (first, low), (last, high) = points[0], points[-1]
    else:
        (first, low) = points[0]
        last, high = first + 1, low + len(unit)
        if marks != {"\t"}:
            return None
    rise, run = high - low, last - first
    if rise <= 0 or any((there - low) * run != (here - first) * rise for here, there in points):
        return None
    wide, left = divmod((len(margin) - first) * rise, run)
    return unit[:1] * (low + wide) + rest if not left and low + wide >= 0 else None


def _margin(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]
