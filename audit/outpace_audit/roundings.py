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
_LEAST_POWER, _FP32_BITS = -126, 23
"""Below 2^-126 fp32 has no further digits: what is rounded there is so to multiples of one number."""
_ODD = -0x61C8864680B583EB
"""2^64 over the golden ratio, odd, as a signed integer: a multiplication by it spreads low bits over high ones."""


def mantissa_bits(relative: float) -> int:
    """Of the format whose neighbours of 1 are `relative` apart."""
    return round(-math.log2(relative))


def round_(tensor: torch.Tensor, bits: int, seed: int) -> None:
    """Rounds an fp64 (complex128) tensor in place to `bits` bits of mantissa: up or down, the nearer the likelier.
    Equal values go the same way and what is rounded stays as it is, so that copies, maxima and comparisons remain
    exact. As fp32 does, it rounds what is nearly nothing to a grid."""
    if tensor.numel() == 0 or 0 in tensor.stride() or tensor.is_neg():
        return
    tensor = reals(tensor)
    below = (1 << (_FP64_BITS - bits)) - 1
    whole = tensor.view(torch.int64)
    mixed = (whole ^ _signed(seed * _ODD)) * _ODD
    mixed = (mixed ^ (mixed >> 32)) * _ODD
    moved = ((whole + ((mixed >> 16) & below)) & ~below).view(torch.float64)
    if bits <= _FP32_BITS:
        chance = ((mixed >> 16) & below).double() / (below + 1)
        grid = 2.0 ** (_LEAST_POWER - bits)
        moved = torch.where(tensor.abs() < 2.0**_LEAST_POWER, torch.floor(tensor / grid + chance) * grid, moved)
    tensor.copy_(torch.where(torch.isfinite(tensor), moved, tensor))


def _signed(number: int) -> int:
    return (number + 2**63) % 2**64 - 2**63
