"""Secret elements of every input that change inside the timed window, so that nothing can be computed before the clock.

Each perturbable input tensor has one slice at a secret place: SLICE elements side by side. One
that `spreads` has COMB of them, by chance side by side or at equal distances over the whole tensor.
A window's seed draws a bank of values from the tensor's own elements; call `c` on input set `c % sets` writes the
bank's row `c + c // sets` into the slice of that set. On the CPU there are ROWS of them, which overlap, so that no
input comes back within some thousand calls, and each window has places of its own; a CUDA graph has as many rows as
sets, and keeps the places that it was captured with. An oracle or a fresh arm repeats any timed call from (base seed,
set, place seed, window seed, row).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_leaves

from outpace_audit.inputs import is_loose, is_perturbable
from outpace_audit.whole_numbers import whole_columns

SLICE = 16
COMB = 64
"""At equal distances they lie in as many rows, so that little is gained by computing anew what has changed; side by
side they lie in few, which were not those of the last window, so that where changes are cannot be learned. On the CPU
they cost less than a microsecond. On CUDA slices are SLICE, side by side: one launch copies those of all inputs."""

POOL = 4096
ROWS = 1021
"""With four sets the same input comes back after 4,084 calls, two windows of the fastest targets: who remembers results
by all of their input gains nothing. A prime, so that it shares no factor with the number of sets."""


@dataclass(frozen=True, slots=True)
class TimedPoint:
    """Which timed call: enough to make its inputs again."""

    base_seed: int
    set: int
    sets: int
    place_seed: int
    window_seed: int
    row: int
    fixed: tuple[int, ...] = ()
    """As `Perturbation` has it."""

    @property
    def generator_seed(self) -> int:
        """Of the numbers that the call itself draws, where it does."""
        return generator_seed(self.window_seed, self.set, self.row)


class Perturbation:
    """Where the secret slices lie and what they may hold, derived from the first input set and the base seed."""

    def __init__(
        self, first: Sequence[Any], base_seed: int, *, spreads: bool, fixed: Collection[int] = frozenset()
    ) -> None:
        """`fixed`: the tensors that the baseline cannot bear changed."""
        self._spreads = spreads
        tensors = _tensors(first)
        # without loose floats: token ids and the like, their own values elsewhere; then what it takes out of its order
        options = ([i for i, t in enumerate(tensors) if may(t)] for may in (is_loose, _is_index, is_perturbable))
        self._columns = {i: _column(tensor, base_seed) for i, tensor in enumerate(tensors)}
        dense = ([i for i in option if i not in fixed and self._dense(tensors, i) is not None] for option in options)
        self.chosen = chosen = next(filter(None, dense), [])
        self._pools: list[torch.Tensor] = []
        generator = torch.Generator().manual_seed(base_seed)
        for i in chosen:
            flat = self._flat(tensors, i)
            where = torch.randint(flat.numel(), (min(POOL, flat.numel()),), generator=generator)
            self._pools.append(flat.index_select(0, where.to(flat.device)).clone())

    def slices(self, arguments: Sequence[Any], place_seed: int) -> list[torch.Tensor]:
        """Views of the secret slices of one input set."""
        tensors = _tensors(arguments)
        generator = torch.Generator().manual_seed(place_seed)
        apart = self._spreads and bool(torch.randint(2, (), generator=generator))
        return [self._slice(self._flat(tensors, i), generator, apart) for i in self.chosen]

    def _dense(self, tensors: Sequence[torch.Tensor], i: int) -> torch.Tensor | None:
        column = self._columns[i]
        if column is None:
            return _dense(tensors[i])
        return tensors[i].detach()[..., column].view(-1) if tensors[i].is_contiguous() else None

    def _flat(self, tensors: Sequence[torch.Tensor], i: int) -> torch.Tensor:
        flat = self._dense(tensors, i)
        assert flat is not None, "only dense tensors are chosen"
        return flat

    def _slice(self, flat: torch.Tensor, generator: torch.Generator, apart: bool) -> torch.Tensor:
        width = self._width(flat)
        step = flat.numel() // width if apart else 1
        extent = (width - 1) * step + 1
        offset = int(torch.randint(flat.numel() - extent + 1, (1,), generator=generator))
        return flat[offset : offset + extent : step]

    def _width(self, flat: torch.Tensor) -> int:
        return min(COMB if self._spreads else SLICE, flat.numel())

    def banks(self, window_seed: int, sets: int) -> list[torch.Tensor]:
        """The values of all rows, for each perturbed input."""
        drawn: list[torch.Tensor] = []
        generator = torch.Generator().manual_seed(window_seed)
        for pool in self._pools:
            width = self._width(pool)  # a pool holds no fewer
            values = ROWS + width - 1 if self._spreads else sets * width
            where = torch.randint(pool.numel(), (values,), generator=generator)
            drawn.append(pool.index_select(0, where.to(pool.device)))
        return drawn

    def rows(self, banks: Sequence[torch.Tensor], sets: int) -> list[list[torch.Tensor]]:
        """Views of them, one for each perturbed input, by the row's number."""
        return [self.row(banks, number, sets) for number in range(ROWS if self._spreads else sets)]

    def row(self, banks: Sequence[torch.Tensor], number: int, sets: int) -> list[torch.Tensor]:
        views: list[torch.Tensor] = []
        for pool, bank in zip(self._pools, banks, strict=True):
            width = self._width(pool)
            start = number % ROWS if self._spreads else number % sets * width
            views.append(bank[start : start + width])
        return views

    def apply(self, arguments: Sequence[Any], point: TimedPoint) -> None:
        """Makes `arguments` (set `point.set`) hold what the timed call saw."""
        places = self.slices(arguments, point.place_seed)
        values = self.row(self.banks(point.window_seed, point.sets), point.row, point.sets)
        for place, value in zip(places, values, strict=True):
            place.copy_(value)


def generator_seed(window_seed: int, k: int, row: int) -> int:
    """Another one for each call of a window, and cheap: it is taken within the clock."""
    return (window_seed + 1_000_003 * row + 7_919 * k) % 2**63


def row_of(call: int, sets: int) -> int:
    """The bank's row that call number `call` of a window writes into its input set; they begin again at the end."""
    return call + call // sets


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


def _column(tensor: torch.Tensor, seed: int) -> int | None:
    """The only one to change, where some hold whole numbers and may hold no others."""
    whole = whole_columns(tensor)
    others = [column for column in range(tensor.shape[-1]) if column not in whole] if whole else []
    return others[seed % len(others)] if others else None
