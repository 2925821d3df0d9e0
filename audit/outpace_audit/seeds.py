"""All chance of one audit comes from one secret root: its hash is published before anything is drawn, itself after.

Draw number n for a purpose is HMAC-SHA256(root, "purpose:n"), so that a reader of the evidence can check that no seed
was chosen to suit, and an arm that has seen a thousand seeds cannot tell the next.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

from outpace_audit.records import Seeds

T = TypeVar("T")

Purpose = Literal["target", "call", "sample", "base", "window", "keep", "order", "probe"]
"""What the judge learns of a baseline; inputs of checked calls; which elements are read; input sets of a process pair;
what changes inside a timed window; which of its calls is kept; who goes first;
which shapes, value laws and arguments are tried."""

ROOT_BYTES = 32
MOST_DRAWS = 1 << 22
"""A confirmation of three workloads draws some 5,000."""
SEED_BITS = 61
"""An arm adds small numbers to a seed, and torch takes 63 bits."""


class SeedSource:
    """Made when an audit begins; `commitment` can be published at once, `revealed` only when it has ended."""

    def __init__(self) -> None:
        self._root = secrets.token_bytes(ROOT_BYTES)
        self._draws: Counter[str] = Counter()

    @property
    def commitment(self) -> str:
        return commitment_of(self._root)

    def revealed(self) -> Seeds:
        return Seeds(self.commitment, self._root.hex(), dict(self._draws))

    def seed(self, purpose: Purpose) -> int:
        return self._next(purpose) >> (256 - SEED_BITS)

    def below(self, purpose: Purpose, n: int) -> int:
        """Of 256 bits the remainder is uniform to one part in 2**190 for any count of calls."""
        return self._next(purpose) % n

    def shuffled(self, purpose: Purpose, items: Iterable[T]) -> list[T]:
        waiting = list(items)
        return [waiting.pop(self.below(purpose, len(waiting))) for _ in range(len(waiting))]

    def _next(self, purpose: Purpose) -> int:
        number = self._draws[purpose]
        self._draws[purpose] += 1
        return draw(self._root, purpose, number)


def commitment_of(root: bytes) -> str:
    return hashlib.sha256(root).hexdigest()


def draw(root: bytes, purpose: str, number: int) -> int:
    """256 bits."""
    return int.from_bytes(hmac.digest(root, f"{purpose}:{number}".encode(), "sha256"), "big")


def problem_with(seeds: Seeds, windows: Sequence[int]) -> str:
    """Why a root is not what was committed to, or a window's seed not one of its draws; nothing if all fits."""
    try:
        root = bytes.fromhex(seeds.root)
    except ValueError:
        return "seeds.root is no hexadecimal number"
    if commitment_of(root) != seeds.commitment:
        return "seeds.root is not what seeds.commitment was made of: the seeds were changed after the fact"
    if not 0 <= seeds.draws.get("window", 0) <= MOST_DRAWS:
        return f"seeds.draws.window is {seeds.draws['window']}, more than any audit draws"
    drawn = {draw(root, "window", number) >> (256 - SEED_BITS) for number in range(seeds.draws.get("window", 0))}
    strange = next((seed for seed in windows if seed not in drawn), None)
    return f"window seed {strange} was never drawn from seeds.root" if strange is not None else ""
