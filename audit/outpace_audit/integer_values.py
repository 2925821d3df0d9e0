"""Integers that are data beyond their declared range: what is right for the values that a maker draws may not be for
all that the type holds. Indices, lengths and labels use little of it, and stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch

from outpace_audit import laws

FULL, OPPOSED = "full", "opposed"

NARROW = (torch.int8, torch.uint8, torch.int16)
WORDS = (torch.int32, torch.int64)
WORD_BITS = 3
"""A wide integer is a word of bits, and no number of something, where the declared ones come within a factor of two to
this power of the whole type: what packs two indices into one key is right for every index."""

END_SHARE = 1 / 16
"""Of the elements, that are the least or the greatest of their type."""


def are_data(value: Any) -> bool:
    """Whether integers use as much of their type as measured values do: of a narrow one half of its bits."""
    if not isinstance(value, torch.Tensor) or value.numel() < 2 or value.dtype not in (*NARROW, *WORDS):
        return False
    low, high = map(int, value.detach().aminmax())
    bits = torch.iinfo(value.dtype).bits
    return high - low >= 2 ** (bits // 2 if value.dtype in NARROW else bits - WORD_BITS)


def fill(arguments: Sequence[Any], seed: int) -> list[Any]:
    """All data drawn from the whole range of its type, its ends among it."""
    return [_filled(one, seed, i) if are_data(one) else one for i, one in enumerate(arguments)]


def _filled(value: torch.Tensor, seed: int, place: int) -> torch.Tensor:
    generator = laws.generator_for(seed, f"values:{place}", "cpu")
    limits = torch.iinfo(value.dtype)
    drawn = torch.empty(value.shape, dtype=value.dtype)
    drawn.random_(limits.min, None if limits.bits == 64 else limits.max + 1, generator=generator)
    at, which = (torch.rand(value.shape, generator=generator) for _ in range(2))
    for end, chosen in ((limits.min, which < 0.5), (limits.max, which >= 0.5)):
        drawn.masked_fill_(chosen & (at < END_SHARE), end)
    return drawn.to(value.device)


def oppose(arguments: Sequence[Any], seed: int) -> list[Any]:
    """Half of the rows of data become the complements, bit by bit, of the rows beside them in another argument of the
    same type and width; of what has no such argument, the second half those of the first."""
    changed, free = list(arguments), [i for i, one in enumerate(arguments) if are_data(one) and one.dim()]
    for number, i in enumerate(free):
        other = next((j for j in free[:number] if _is_beside(arguments[i], arguments[j])), None)
        if other is not None:
            changed[i] = _opposed(arguments[i], changed[other], seed, i)
        elif not any(_is_beside(arguments[i], arguments[j]) for j in free[number + 1 :]):
            half = arguments[i].shape[0] // 2
            second = _opposed(arguments[i][half:], arguments[i][:half], seed, i)
            changed[i] = torch.cat([arguments[i][:half], second])
    return changed


def _is_beside(one: torch.Tensor, other: torch.Tensor) -> bool:
    return one.dtype == other.dtype and one.shape[1:] == other.shape[1:]


def _opposed(value: torch.Tensor, other: torch.Tensor, seed: int, place: int) -> torch.Tensor:
    rows = min(value.shape[0], other.shape[0])
    chosen = torch.rand(rows, generator=laws.generator_for(seed, f"values:{place}", "cpu")) < 0.5
    new = value.clone()
    new[:rows][chosen.to(value.device)] = ~other[:rows][chosen.to(value.device)]
    return new


WHOLE_RANGE: dict[str, Callable[[Sequence[Any], int], list[Any]]] = {FULL: fill, OPPOSED: oppose}
