"""Kernels and launches in a CUDA source, by its words: what cannot be told for sure from the text alone is left out.

Comments, strings and directives are blanked first, so that a place in the blanked text is the same place in the file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from math import prod

_HIDDEN = re.compile(
    r"""//[^\n]*|/\*.*?(?:\*/|\Z)|R"(?P<end>[^()\\\s]{0,16})\(.*?\)(?P=end)"|"(?:\\.|[^"\\\n])*"|(?<![0-9A-Fa-f])'(?:\\.|[^'\\\n])+'"""
    r"""|^[ \t]*\#(?:\\\r?\n|[^\n])*""",
    re.DOTALL | re.MULTILINE,
)
_SIZE = r"(?P<value>0x[0-9a-fA-F]+|\d[\d']*)[uUlL]*"
_DEFINED = re.compile(
    rf"^[ \t]*\#[ \t]*define[ \t]+(?P<name>\w+)[ \t]+\(?{_SIZE}\)?[ \t]*(?://.*|/\*.*)?\r?$", re.MULTILINE
)
_CONSTANT = re.compile(rf"\b(?:int|unsigned|size_t|u?int\d+_t|auto|long|short)\s+(?P<name>\w+)\s*=\s*{_SIZE}\s*;")
_BLOCK = re.compile(r"\bdim3\s+(?P<name>\w+)\s*[({](?P<sizes>[^(){};]*)[)}]\s*;")
_DIM3 = re.compile(r"dim3\s*[({](?P<sizes>[^(){}]*)[)}]")
_CALLED = re.compile(r"\b(?P<name>[A-Za-z_]\w*)\s*\(")
_LAUNCH = re.compile(r"\b(?P<name>[A-Za-z_]\w*)\s*(?:<[^<>;(){}]*>\s*)?<<<(?P<how>[^;{}]*?)>>>")
_ATTRIBUTES = frozenset({"__launch_bounds__", "__attribute__", "__cluster_dims__", "__maxnreg__", "__block_size__"})
_WORD = re.compile(r"[A-Za-z_]\w*")
_QUALIFIERS = re.compile(r"\b(?:const|volatile|restrict|__restrict__|__restrict|__grid_constant__)\b")


@dataclass(frozen=True, slots=True)
class Pointer:
    """A parameter `const T* __restrict__ name`. `type` is T, its spaces made one."""

    name: str
    type: str
    constant: bool
    restrict: bool


@dataclass(frozen=True, slots=True)
class Launch:
    """At character `place`; `threads` of a block, None where the text does not say."""

    place: int
    threads: int | None


@dataclass(frozen=True, slots=True)
class Kernel:
    """`place` of its name. `bounds`: the threads of its `__launch_bounds__`, 0 where there are none, None where they
    are no number. `launches`: all there are; None where its name is used otherwise, too."""

    name: str
    place: int
    bounds: int | None
    pointers: tuple[Pointer, ...]
    body: str
    launches: tuple[Launch, ...] | None


def kernels_in(text: str) -> list[Kernel]:
    """Without those whose name is defined twice: overloads and specialisations."""
    code = _HIDDEN.sub(_blank, text)
    sizes = _sizes(text, code)
    launches: dict[str, list[Launch]] = {}
    for found in _LAUNCH.finditer(code):
        threads = _threads(_parts(found["how"]), sizes)
        launches.setdefault(found["name"], []).append(Launch(found.start(), threads))
    kernels = [
        kernel
        for place in re.finditer(r"\b__global__\b", code)
        if (kernel := _kernel(code, place.end(), sizes, launches))
    ]
    names = [kernel.name for kernel in kernels]
    return [kernel for kernel in kernels if names.count(kernel.name) == 1]


def _blank(found: re.Match[str]) -> str:
    return re.sub(r"[^\r\n]", " ", found[0])


def _kernel(code: str, place: int, sizes: dict[str, int], launches: dict[str, list[Launch]]) -> Kernel | None:
    bounds: int | None = 0
    while (called := _CALLED.search(code, place)) is not None:
        if (end := _closing(code, called.end() - 1)) is None:
            return None
        inside, place = code[called.end() : end], end + 1
        if called["name"] == "__launch_bounds__":
            bounds = _number((_parts(inside) or [""])[0], sizes)
        elif called["name"] not in _ATTRIBUTES:
            break
    else:
        return None
    opening = re.compile(r"\s*\{").match(code, place)
    if opening is None or (last := _closing(code, opening.end() - 1)) is None:
        return None  # declared, not defined
    own = launches.get(called["name"], [])
    uses = len(re.findall(rf"\b{called['name']}\b", code))
    return Kernel(
        called["name"], called.start(), bounds, tuple(_pointers(inside)), code[opening.end() : last],
        tuple(own) if uses == 1 + len(own) else None,
    )  # fmt: skip


def _pointers(parameters: str) -> Iterator[Pointer]:
    """Of one level, to a type of one name."""
    for one in _parts(parameters):
        kind, star, rest = one.partition("*")
        words = _WORD.findall(_QUALIFIERS.sub(" ", rest))
        if star and len(words) == 1 and "*" not in rest and "[" not in rest:
            named = " ".join(_QUALIFIERS.sub(" ", kind).split())
            yield Pointer(words[0], named, bool(re.search(r"\bconst\b", kind)), "restrict" in rest)


def _threads(how: list[str], sizes: dict[str, int]) -> int | None:
    return _number(how[1], sizes) if len(how) > 1 else None


def _sizes(text: str, code: str) -> dict[str, int]:
    """Numbers by name, and blocks of `dim3` by all of their threads: of names that mean one thing in the whole file."""
    found = {
        one["name"]: int(one["value"].replace("'", ""), 0)
        for one in (*_DEFINED.finditer(text), *_CONSTANT.finditer(code))
        if _given(text, one["name"]) == 1
    }
    for one in _BLOCK.finditer(code):
        size = _product(one["sizes"], found) if _given(text, one["name"]) == 1 else None
        if size is not None:
            found[one["name"]] = size
    return found


def _given(text: str, name: str) -> int:
    """How often a name is declared, defined, or changed; comments may only add to it."""
    return len(
        re.findall(
            rf"\b(?:int|unsigned|size_t|u?int\d+_t|auto|long|short|dim3|typename|class)\s+[&*]?\s*{name}\b"
            rf"|\#[ \t]*(?:define|undef)[ \t]+{name}\b|(?:\+\+|--|&)\s*{name}\b|\b{name}\s*(?:\+\+|--)"
            rf"|\b{name}\s*\.\s*[xyz]\s*(?:[-+*/%|&^]|<<|>>)?=(?!=)|;\s*{name}\s*(?:[-+*/%|&^]|<<|>>)?=(?!=)"
            rf"|[{{}})]\s*{name}\s*(?:[-+*/%|&^]|<<|>>)?=(?!=)",
            text,
        )
    )


def _number(said: str, sizes: dict[str, int]) -> int | None:
    said = said.strip()
    if (block := _DIM3.fullmatch(said)) is not None:
        return _product(block["sizes"], sizes)
    plain = re.fullmatch(_SIZE, said)
    return int(plain["value"].replace("'", ""), 0) if plain else sizes.get(said)


def _product(said: str, sizes: dict[str, int]) -> int | None:
    each = [_number(one, sizes) for one in said.split(",")]
    return None if None in each else prod(one for one in each if one is not None)


def _parts(inside: str) -> list[str]:
    """Between its commas, without those in brackets of any kind."""
    depth, start, found = 0, 0, list[str]()
    for place, character in enumerate(inside):
        depth += (character in "(<[{") - (character in ")>]}")
        if character == "," and depth == 0:
            found.append(inside[start:place])
            start = place + 1
    return [*found, inside[start:]] if inside.strip() else []


def _closing(code: str, place: int) -> int | None:
    """The bracket that closes the one at `place`."""
    opens, closes = ("(", ")") if code[place] == "(" else ("{", "}")
    depth = 0
    for found in re.compile(rf"[{opens}{closes}]").finditer(code, place):
        depth += 1 if found[0] == opens else -1
        if depth == 0:
            return found.start()
    return None


@lru_cache(maxsize=8)
def kernels_of(text: str) -> tuple[Kernel, ...]:
    """Editors ask several times for each text."""
    return tuple(kernels_in(text))
