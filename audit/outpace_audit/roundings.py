"""Roundings of a narrower format inside a truth run: what they move, honest roundings may move.

A result may be far worse conditioned than its inputs are: batch normalisation after a bias that dwarfs what is
normalised turns one rounding of the sum into a thousand of the result. Monte Carlo arithmetic (D. S. Parker, UCLA
CSD-970002, 1997) shows that for any code: the same operations, each result rounded up or down at random.
"""

from __future__ import annotations

import math

import torch

from outpace_audit.tensors import reals

_FP64_BITS = 52
_ODD = -0x61C8864680B583EB
"""2^64 over the golden ratio, odd, as a signed integer: a multiplication by it spreads low bits over high ones."""


def mantissa_bits(relative: float) -> int:
    """Of the format whose neighbours of 1 are `relative` apart."""
    return round(-math.log2(relative))


def round_(tensor: torch.Tensor, bits: int, seed: int) -> None:
    """Rounds an fp64 (complex128) tensor in place to `bits` bits of mantissa: up or down, the nearer the likelier.
    Equal values go the same way and what is rounded stays as it is, so that copies, maxima and comparisons remain
    exact."""
    if tensor.numel() == 0 or 0 in tensor.stride() or tensor.is_neg():
        return
    tensor = reals(tensor)
    below = (1 << (_FP64_BITS - bits)) - 1
    whole = tensor.view(torch.int64)
    mixed = (whole ^ _signed(seed * _ODD)) * _ODD
    mixed = (mixed ^ (mixed >> 32)) * _ODD
    moved = ((whole + ((mixed >> 16) & below)) & ~below).view(torch.float64)
    tensor.copy_(torch.where(torch.isfinite(tensor), moved, tensor))


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63
