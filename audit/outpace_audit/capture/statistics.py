"""What a law needs to know of a tensor to draw others like it: its values in a few numbers."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import torch

SAMPLE = 1 << 18
"""Elements looked at. A mean of so many is right to 0.2% of a standard deviation."""
KEPT = 4096
"""A whole-number tensor of at most this size is kept as it is: offsets, lengths, positions."""
FEW = 3
"""A tensor with at most so many distinct values is a mask or a constant, not data."""

WIDE = 8
"""Rows of two values, at least so long, that all change at most once and in one direction, are no coincidence."""


def describe_tensor(tensor: torch.Tensor) -> dict[str, Any]:
    """Shape, dtype, strides, and whether a gradient was asked for: what makes two calls the same workload."""
    return {
        "shape": list(tensor.shape),
        "dtype": str(tensor.dtype).removeprefix("torch."),
        "stride": list(tensor.stride()),
        "requires_grad": tensor.requires_grad,
        "device": tensor.device.type,
    }


def value_statistics(tensor: torch.Tensor) -> dict[str, Any]:
    """Of a sample of the values; `count` 0 for none. Reads the tensor, so it waits for the device."""
    flat = tensor.detach().reshape(-1)
    if flat.numel() == 0 or tensor.is_complex() or str(tensor.dtype).startswith("torch.float4"):
        return {"count": 0}
    if flat.numel() > SAMPLE:
        flat = flat[:: math.ceil(flat.numel() / SAMPLE)]
    return _floats(tensor, flat) if tensor.is_floating_point() else _integers(tensor, flat)


def _floats(tensor: torch.Tensor, flat: torch.Tensor) -> dict[str, Any]:
    values = flat.double()
    finite = values[values.isfinite()]
    found: dict[str, Any] = {
        "count": values.numel(),
        "finite": finite.numel() / values.numel(),
        "negative_infinite": float((values == -math.inf).double().mean()),
    }
    if finite.numel():
        found |= {
            "mean": float(finite.mean()),
            "std": float(finite.std(correction=0)),
            "min": float(finite.min()),
            "max": float(finite.max()),
        }
    distinct = torch.unique(values[:4096])
    if distinct.numel() <= FEW:
        found["distinct"] = [[str(value), float((values == value).double().mean())] for value in distinct.tolist()]
    found["causal"] = _is_causal(tensor)
    found["lengths"] = _lengths(tensor)
    found["rows_sum_to_one"] = found.get("min", -1.0) >= 0 and _rows_sum_to_one(tensor)
    return found


def _integers(tensor: torch.Tensor, flat: torch.Tensor) -> dict[str, Any]:
    values = flat.long()
    found: dict[str, Any] = {
        "count": values.numel(),
        "min": int(values.min()),
        "max": int(values.max()),
        "mean": float(values.double().mean()),
        "causal": _is_causal(tensor),
        "lengths": _lengths(tensor),
        "at_min": float((values == values.min()).double().mean()),
    }
    above = values[values > values.min()]
    if above.numel():
        found["next_min"] = int(above.min())
    if tensor.numel() <= KEPT:
        kept = tensor.detach().reshape(-1).tolist()
        found |= {"values": kept, "hash": hashlib.sha256(repr(kept).encode()).hexdigest()[:16]}
    rows = tensor.detach().reshape(-1, tensor.shape[-1])[:64].long() if tensor.dim() and tensor.shape[-1] else None
    if rows is not None:
        steps = rows[:, 1:] - rows[:, :-1]
        counted = torch.arange(rows.shape[1], device=rows.device)
        found |= {
            "sorted": bool((steps >= 0).all()) and rows.shape[1] > 1,
            "arange": bool((rows == counted).all()) and rows.shape[1] > 1,
            "permutation": bool((rows.sort(-1).values == counted).all()) and rows.shape[1] > 1,
        }
    return found


def _is_causal(tensor: torch.Tensor) -> bool:
    """One value on and below the diagonal of the last two dims, another above."""
    if tensor.dim() < 2 or tensor.shape[-1] != tensor.shape[-2] or tensor.shape[-1] < 2:
        return False
    square = tensor.detach().reshape(-1, *tensor.shape[-2:])[0]
    below = torch.ones(square.shape, dtype=torch.bool, device=square.device).tril()
    kept, masked = square[below], square[~below]
    return bool((kept == kept[0]).all() and (masked == masked[0]).all() and kept[0] != masked[0])


def _lengths(tensor: torch.Tensor) -> list[str | bool] | None:
    """[first, rest, whether a row is all first, whether one is all rest] of rows of two values, first and then rest:
    the mask of sequences that were padded."""
    if not tensor.dim() or tensor.shape[-1] < WIDE or tensor.numel() < 2 * WIDE:
        return None
    rows = tensor.detach().reshape(-1, tensor.shape[-1])[:256].double()
    low, high = rows.aminmax()
    is_high = rows == high
    steps = is_high.int().diff(dim=-1)
    falls, rises = bool((steps <= 0).all()), bool((steps >= 0).all())
    if low == high or falls == rises or not (is_high | (rows == low)).all():
        return None
    ends = (high, low) if falls else (low, high)
    return [*(str(float(end)) for end in ends), *(bool((rows == end).all(-1).any()) for end in ends)]


def _rows_sum_to_one(tensor: torch.Tensor) -> bool:
    if not tensor.dim() or tensor.shape[-1] < 2:
        return False
    sums = tensor.detach().reshape(-1, tensor.shape[-1])[:256].double().sum(-1)
    return bool(((sums - 1).abs() < 1e-2).all())
