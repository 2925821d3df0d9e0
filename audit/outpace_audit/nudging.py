"""One element of one input or parameter changed: what is remembered by some elements, a sum or a prefix is then
stale."""

from __future__ import annotations

import random
from collections.abc import Sequence

import torch

from outpace_audit.inputs import is_perturbable

LOUDNESS = (1.0, 4.0)
"""Times the largest of a few other elements: what depends on the element then moves by far more than rounding, while a
sum of all, rounded itself, may not."""

OTHERS = 16


def nudge_one(tensors: Sequence[torch.Tensor], seed: int) -> None:
    """In place, unseen by version counters. The same element of the same tensor for the same seed. Masks, constants and
    indices stay as they are, and so does a tensor whose elements share memory."""
    free = [tensor.data for tensor in tensors if is_perturbable(tensor) and 0 not in tensor.stride()]
    if not free:
        return
    chance = random.Random(seed)
    chosen = chance.choice(free)
    others = [_element(chosen, chance) for _ in range(OTHERS)]
    _element(chosen, chance).copy_(max(others, key=lambda other: abs(float(other))) * chance.choice(LOUDNESS))


def _element(tensor: torch.Tensor, chance: random.Random) -> torch.Tensor:
    return tensor[tuple(chance.randrange(size) for size in tensor.shape)]
