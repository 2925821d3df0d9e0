"""Tensors that share memory."""

from __future__ import annotations

import torch

from outpace_audit.tensors import written_once


def overlap(one: torch.Tensor, other: torch.Tensor) -> bool:
    """Whether some byte belongs to both."""
    if storage_of(one) != storage_of(other):
        return False
    (low, high), (other_low, other_high) = _extent(one), _extent(other)
    if high <= other_low or other_high <= low:
        return False
    if one.element_size() != other.element_size():
        return True
    taken = torch.zeros(one.untyped_storage().nbytes() // one.element_size(), dtype=torch.bool, device=one.device)
    written_once(taken.as_strided(one.shape, one.stride(), one.storage_offset())).fill_(True)
    return bool(taken.as_strided(other.shape, other.stride(), other.storage_offset()).any())


def _extent(tensor: torch.Tensor) -> tuple[int, int]:
    """Bytes within the storage, from the first to past the last."""
    reach = sum((size - 1) * step for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    first = int(tensor.storage_offset())
    return first * tensor.element_size(), (first + reach + 1) * tensor.element_size()


def storage_of(tensor: torch.Tensor) -> int:
    return tensor.untyped_storage().data_ptr()
