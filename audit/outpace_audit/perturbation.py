"""Secret elements of every input that change inside the timed window, so that nothing can be computed before the clock.

Each perturbable input tensor has one slice at a secret place: SLICE elements side by side. One
that `spreads` has COMB of them, by chance side by side or at equal distances over the whole tensor.
A window's seed draws a bank of [sets, slice] values from the tensor's own elements; call `c` on input set `c % sets`
writes the bank's row `(c + c // sets) % sets` into the slice of that set. On the CPU each window has places of its own;
a CUDA graph keeps those that it was captured with. An oracle or a fresh arm repeats any timed call from (base seed,
set, place seed, window seed, row).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.inputs import is_perturbable

SLICE = 16
COMB = 64
"""At equal distances they lie in as many rows, so that little is gained by computing anew what has changed; side by
side they lie in few, which were not those of the last window, so that where changes are cannot be learned. On the CPU
they cost less than a microsecond. On CUDA slices are SLICE, side by side: one launch copies those of all inputs."""

POOL = 4096


@dataclass(frozen=True, slots=True)
class TimedPoint:
    """Which timed call: enough to make its inputs again."""

    base_seed: int
    set: int
    sets: int
    place_seed: int
    window_seed: int
    row: int


class Perturbation:
    """Where the secret slices lie and what they may hold, derived from the first input set and the base seed."""

    def __init__(self, first: Sequence[Any], base_seed: int, *, spreads: bool) -> None:
        self._spreads = spreads
        tensors = _tensors(first)
        chosen = [i for i, t in enumerate(tensors) if is_perturbable(t) and _dense(t) is not None]
        if not chosen:  # token ids and the like: their own values, elsewhere
            chosen = [i for i, t in enumerate(tensors) if _is_index(t) and _dense(t) is not None]
        self.chosen = chosen
        self._pools: list[torch.Tensor] = []
        generator = torch.Generator().manual_seed(base_seed)
        for i in chosen:
            flat = _flat(tensors[i])
            where = torch.randint(flat.numel(), (min(POOL, flat.numel()),), generator=generator)
            self._pools.append(flat.index_select(0, where.to(flat.device)).clone())

    def slices(self, arguments: Sequence[Any], place_seed: int) -> list[torch.Tensor]:
        """Views of the secret slices of one input set."""
        tensors = _tensors(arguments)
        generator = torch.Generator().manual_seed(place_seed)
        apart = self._spreads and bool(torch.randint(2, (), generator=generator))
        return [self._slice(_flat(tensors[i]), generator, apart) for i in self.chosen]

    def _slice(self, flat: torch.Tensor, generator: torch.Generator, apart: bool) -> torch.Tensor:
        width = self._width(flat)
        step = flat.numel() // width if apart else 1
        extent = (width - 1) * step + 1
        offset = int(torch.randint(flat.numel() - extent + 1, (1,), generator=generator))
        return flat[offset : offset + extent : step]

    def _width(self, flat: torch.Tensor) -> int:
        return min(COMB if self._spreads else SLICE, flat.numel())

    def banks(self, window_seed: int, sets: int) -> list[torch.Tensor]:
        """One [sets, slice] tensor of values for each perturbed input."""
        drawn: list[torch.Tensor] = []
        generator = torch.Generator().manual_seed(window_seed)
        for pool in self._pools:
            width = self._width(pool)  # a pool holds no fewer
            where = torch.randint(pool.numel(), (sets * width,), generator=generator)
            drawn.append(pool.index_select(0, where.to(pool.device)).reshape(sets, width))
        return drawn

    def apply(self, arguments: Sequence[Any], point: TimedPoint) -> None:
        """Makes `arguments` (set `point.set`) hold what the timed call saw."""
        places = self.slices(arguments, point.place_seed)
        for place, bank in zip(places, self.banks(point.window_seed, point.sets), strict=True):
            place.copy_(bank[point.row])


def row_of(call: int, sets: int) -> int:
    """The bank's row that call number `call` of a window writes into its input set."""
    return (call + call // sets) % sets


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(list(value)) if isinstance(leaf, torch.Tensor)]


def _is_index(tensor: torch.Tensor) -> bool:
    return tensor.dtype in (torch.int64, torch.int32) and tensor.numel() >= 2


def _dense(tensor: torch.Tensor) -> torch.Tensor | None:
    """A flat view over the tensor's own memory if it is dense and does not overlap itself."""
    detached = tensor.detach()
    if detached.is_contiguous():
        return detached.view(-1)
    order = sorted(range(detached.dim()), key=lambda d: -detached.stride(d))
    permuted = detached.permute(order)
    return permuted.view(-1) if permuted.is_contiguous() else None


def _flat(tensor: torch.Tensor) -> torch.Tensor:
    flat = _dense(tensor)
    assert flat is not None, "only dense tensors are chosen"
    return flat
