"""A few elements of the results of every call of a timed window, so that which calls are looked at is said afterwards.

Each result has POINTS secret places in a window; call `c` leaves the elements at place `c % POINTS`. They go into
memory that is there before the clock starts, on both sides alike, and in the windows that measure the harness too.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

import torch

WIDTH = 16
"""Elements of one call and result, side by side in the last dimension."""

POINTS = 64
WATCHED = 4
"""Results of a call, gradients included, that are looked at in windows."""

_Point = tuple[tuple[int, ...], int]


@dataclass(frozen=True, slots=True)
class RecordedCall:
    """Enough to find the recorded elements again in another call's results."""

    seed: int
    call: int


class Recorder:
    """Of one window. `results` are an earlier call's: they say what there will be."""

    def __init__(self, results: Sequence[torch.Tensor], calls: int, seed: int) -> None:
        self._points = [_points(tensor, seed + i) for i, tensor in enumerate(results)]
        memory = [torch.zeros(calls, _width(one), dtype=one.dtype, device=one.device) for one in results]
        self._rows = [list(rows) for rows in zip(*(one.unbind(0) for one in memory), strict=True)]

    def record(self, call: int, results: Sequence[torch.Tensor]) -> None:
        if self._rows:
            with torch.no_grad():
                torch._foreach_copy_(self._rows[call], self.elements(call, results))  # pyright: ignore[reportPrivateUsage]

    def elements(self, call: int, results: Sequence[torch.Tensor]) -> list[torch.Tensor]:
        return [_at(tensor, points[call % POINTS]) for tensor, points in zip(results, self._points, strict=True)]

    def recorded(self, call: int) -> list[torch.Tensor]:
        return self._rows[call] if self._rows else []


def _width(tensor: torch.Tensor) -> int:
    return min(WIDTH, tensor.numel(), tensor.shape[-1] if tensor.dim() else 1)


def _points(tensor: torch.Tensor, seed: int) -> list[_Point]:
    chance = random.Random(seed)
    if tensor.numel() == 0 or tensor.dim() == 0:
        return [((0,) * max(tensor.dim() - 1, 0), 0)] * POINTS
    *leading, last = tensor.shape
    return [
        (tuple(chance.randrange(size) for size in leading), chance.randrange(max(1, last - WIDTH + 1)))
        for _ in range(POINTS)
    ]


def _at(tensor: torch.Tensor, point: _Point) -> torch.Tensor:
    """A view, whatever the strides: they may differ from call to call."""
    if tensor.dim() == 0:
        return tensor.as_strided((1,), (1,))
    *steps, step = tensor.stride()
    if tensor.numel() == 0:
        return tensor.reshape(-1)
    leading, start = point
    offset = tensor.storage_offset() + start * step + sum(i * s for i, s in zip(leading, steps, strict=True))
    return tensor.as_strided((_width(tensor),), (step,), offset)
