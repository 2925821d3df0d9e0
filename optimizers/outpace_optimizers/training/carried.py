"""Data that a change brings along: weights that were trained beforehand are work before the clock."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from outpace_audit.records import Check
from outpace_optimizers.training.change import Change

NAME = "carried-data"
NUMBERS = 400
"""More than a file had: the longest tables of coefficients in training scripts have tens, the smallest models
thousands of weights."""
LETTERS = 2_000
"""In words of strings, more than a file had: 1.5 kB of data in base 64, some 750 weights of 16 bits."""
WORD = 24
"""Letters of a word that is none: names and prose are shorter."""
FILE_BYTES = 4_096
"""By which a file that is no code may grow: a configuration does not, a checkpoint does."""
_BITS = 32
"""Of a whole number that counts as one."""


@dataclass(frozen=True, slots=True)
class Carried:
    numbers: int = 0
    letters: int = 0


def carried_data(change: Change, root: Path) -> Check:
    limit = f"at most {NUMBERS} numbers, {LETTERS} letters in words of {WORD}, {FILE_BYTES} bytes"
    for path, data in sorted(change.files.items()):
        if data is not None and (text := _brought(path, data, root / path)):
            return Check(NAME, "L0", False, f"{path} brings {text}: was this trained beforehand?", limit)
    return Check(NAME, "L0", True, "no changed file brings data along", limit)


def _brought(path: str, data: bytes, before: Path) -> str:
    """In words; empty where it is little."""
    old = before.read_bytes() if before.is_file() else b""
    if not path.endswith(".py"):
        more = len(data) - len(old)
        return f"{more} bytes more than it had" if more > FILE_BYTES else ""
    now, then = _of_code(data), _of_code(old)
    if now.numbers - then.numbers > NUMBERS:
        return f"{now.numbers - then.numbers} numbers more than it had"
    if now.letters - then.letters > LETTERS:
        return f"{now.letters - then.letters} letters more than it had in strings that are no words"
    return ""


def _of_code(data: bytes) -> Carried:
    """Nothing of what does not parse, which another check refuses."""
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):
        return Carried()
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    return Carried(sum(map(_numbers, constants)), sum(len(word) for value in constants for word in _words(value)))


def _numbers(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return 1 + value.bit_length() // _BITS
    return isinstance(value, (float, complex))


def _words(value: object) -> Iterator[str | bytes]:
    if isinstance(value, (str, bytes)):
        yield from (word for word in value.split() if len(word) >= WORD)
