"""The sizes of a target that may be tried otherwise, and the text with other ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from outpace_audit.records import Code, Patch, Span
from outpace_optimizers.source import base_hash
from outpace_optimizers.tuner.literals import Literal, Place


@dataclass(frozen=True, slots=True)
class Knob:
    """`places`: all that changes with it, the first one where it is written. `owner`: the kernel or function of it."""

    name: str
    value: int
    choices: tuple[int, ...]
    places: tuple[Place, ...]
    owner: str

    @property
    def is_size(self) -> bool:
        return not self.name.startswith(("num_warps", "num_stages"))


Values = tuple[int, ...]
"""One for each knob, in their order."""


def powers(value: int, low: int, high: int) -> tuple[int, ...]:
    """Powers of two from `low` to `high`, and the value that is there now."""
    found = {1 << bit for bit in range(low.bit_length() - 1, high.bit_length()) if low <= 1 << bit <= high}
    return tuple(sorted({value, *found}))


def knob_of(literal: Literal, name: str, choices: tuple[int, ...], owner: str, more: Iterable[Place] = ()) -> Knob:
    """`more`: where a number that is spelled out is spelled out again."""
    return Knob(name, literal.value, choices, (literal.place, *more), owner)


def distinct(knobs: Iterable[Knob]) -> tuple[Knob, ...]:
    """Each place once, and under names that differ; what is tied to a place of another is left out."""
    found: dict[Place, Knob] = {}
    taken: set[Place] = set()
    for knob in knobs:
        first, *rest = knob.places
        if first in found:
            common = tuple(choice for choice in found[first].choices if choice in knob.choices)
            found[first] = replace(found[first], choices=common)
        elif not taken & {first, *rest}:
            found[first] = knob
            taken |= {first, *rest}
    useful = [knob for knob in found.values() if len(knob.choices) > 1]
    return tuple(_named_apart(useful))


def _named_apart(knobs: Sequence[Knob]) -> list[Knob]:
    often = Counter(knob.name for knob in knobs)
    knobs = [replace(knob, name=f"{knob.name} of {knob.owner}") if often[knob.name] > 1 else knob for knob in knobs]
    seen: Counter[str] = Counter()
    named: list[Knob] = []
    for knob in knobs:
        seen[knob.name] += 1
        named.append(replace(knob, name=f"{knob.name} ({seen[knob.name]})") if seen[knob.name] > 1 else knob)
    return named


def written(code: Code, knobs: Sequence[Knob], values: Values) -> Patch:
    """The smallest edit that gives the knobs these values."""
    changed = [(knob, value) for knob, value in zip(knobs, values, strict=True) if value != knob.value]
    text = code.source
    edits = [(place, value) for knob, value in changed for place in knob.places]
    for place, value in sorted(edits, key=lambda edit: edit[0].start, reverse=True):
        text = text[: place.start] + place.form.format(value) + text[place.end :]
    spans = dict.fromkeys(place.span for place, _ in edits)
    return Patch(code.path, base_hash(code.source), text, tuple(Span(span) for span in spans))


def said(knobs: Sequence[Knob], values: Values) -> str:
    """`BLOCK 64 -> 256, num_warps 4 -> 8`."""
    pairs = zip(knobs, values, strict=True)
    return ", ".join(f"{knob.name} {knob.value} -> {value}" for knob, value in pairs if value != knob.value)
