"""A few elements of the results of every call of a timed window, so that which calls are looked at is said afterwards.

Inputs that calls update are results too.

A window draws POINTS secret places, each in one of the results; call `c` leaves the elements at place `c % POINTS`.
They go into memory that is there before the clock starts, on both sides alike, and in windows that measure the harness.
"""

from __future__ import annotations

import itertools
import math
import operator
import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

from outpace_audit.subject import Result
from outpace_audit.tensors import Leaf

WIDTH = 16
"""Elements of one call and result, side by side in the last dimension."""

POINTS = 64
WATCHED = 4
"""Results of a call, gradients included, that are looked at in windows."""

MOST_UPDATED = 64
"""The same where calls update inputs, which are results too: an optimizer's step may have a hundred."""


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """Enough to find the recorded elements again in another call's results."""

    seed: int
    call: int


def recordable(result: Result, updated: Sequence[Leaf]) -> list[torch.Tensor]:
    """What is looked at of every call: its results, each beside one of the inputs that it updates."""
    results = result.tensors()
    if not updated:
        return [leaf.value for leaf in results[:WATCHED]]
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(updated, results))
    return [leaf.value for leaf in in_turn if leaf is not None][:MOST_UPDATED]


class Recorder:
    """Of windows of `calls` calls. `results` are an earlier call's: they say what there will be."""

    def __init__(self, results: Sequence[torch.Tensor], calls: int) -> None:
        self.calls = calls
        self._shapes = [tensor.shape for tensor in results]
        memory = [torch.zeros(calls, _width(one.shape), dtype=one.dtype, device=one.device) for one in results]
        self._rows = [one.unbind(0) for one in memory]
        self._which: list[int] = []
        self._points: list[list[Sequence[int]]] = []
        self._offsets: dict[tuple[int, Sequence[int]], list[int]] = {}

    def draw(self, seed: int) -> None:
        """The places of the next window."""
        chance = random.Random(seed)
        self._which = [chance.randrange(len(self._shapes)) for _ in range(POINTS)] if self._shapes else []
        self._points = [_points(shape, chance) for shape in self._shapes]
        self._offsets.clear()

    def record(self, call: int, results: Sequence[torch.Tensor]) -> None:
        if self._rows:
            which = self._which[call % POINTS]
            self._rows[which][call].copy_(self._at(which, call % POINTS, results[which]))

    def elements(self, call: int, results: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        """What `record` would take of this call's results, if there are any."""
        return [self._at(which, call % POINTS, results[which]) for which in self._which[call % POINTS :][:1]]

    def recorded(self, call: int) -> list[torch.Tensor]:
        return [self._rows[which][call] for which in self._which[call % POINTS :][:1]] if self._rows else []

    def _at(self, i: int, point: int, tensor: torch.Tensor) -> torch.Tensor:
        strides = tensor.stride()
        offsets = self._offsets.get((i, strides))
        if offsets is None:  # once for each layout: microseconds count here
            offsets = [sum(map(operator.mul, strides, place)) for place in self._points[i]]
            self._offsets[i, strides] = offsets
        plain = tensor.detach() if tensor.requires_grad else tensor
        return plain.as_strided(
            (_width(self._shapes[i]),), strides[-1:] or (1,), tensor.storage_offset() + offsets[point]
        )


def _width(shape: Sequence[int]) -> int:
    return min(WIDTH, shape[-1] if shape else 1, math.prod(shape))


def _points(shape: Sequence[int], chance: random.Random) -> list[Sequence[int]]:
    """Index of the first of _width elements."""
    if not math.prod(shape):
        return [[0] * len(shape)] * POINTS
    least = [1] * (len(shape) - 1) + [_width(shape)] * bool(shape)
    return [[chance.randrange(size - room + 1) for size, room in zip(shape, least, strict=True)] for _ in range(POINTS)]
