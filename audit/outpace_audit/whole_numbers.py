"""Floats that hold whole numbers, as one column of a table of boxes holds the image that each is of: what is picked by
them means nothing for numbers between, and may not be there for larger ones."""

from __future__ import annotations

from collections.abc import Callable

import torch

from outpace_audit.tensors import is_inexact

MOST = 2.0**16
"""Beyond it whole numbers are amounts."""

LONG = 8
"""So many numbers in a row are not whole by chance."""

FLAGS = 3
"""No more different ones than these are a mask."""


def whole_columns(tensor: torch.Tensor) -> tuple[int, ...]:
    """Places along the last dimension where all elements are whole, none of them negative, while others of the tensor
    are not."""
    if not _may_hold(tensor) or tensor.dim() < 2 or tensor.numel() < LONG * tensor.shape[-1]:
        return ()
    rows = tensor.detach().reshape(-1, tensor.shape[-1])
    if not bool(_are_whole(rows[:LONG]).all(0).any()):  # mostly, and cheaper than to look at all
        return ()
    whole = _are_whole(rows).all(0)
    return () if bool(whole.all()) else tuple(int(column) for column in torch.nonzero(whole).flatten())


def is_whole(tensor: torch.Tensor) -> bool:
    """A float tensor of such numbers throughout, and no mask."""
    if not _may_hold(tensor) or tensor.numel() < LONG:
        return False
    flat = tensor.detach().reshape(-1)
    return bool(_are_whole(flat[:LONG]).all() and _are_whole(flat).all()) and flat.unique().numel() > FLAGS


def but_for_whole(
    value: torch.Tensor, columns: tuple[int, ...], change: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """`value` with all changed but the `columns`."""
    if not columns:
        return change(value)
    others = [column for column in range(value.shape[-1]) if column not in columns]
    part = change(value[..., others].contiguous())
    changed = value.to(part.dtype, copy=True)
    changed[..., others] = part
    return changed


def renumbered(value: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """Other whole numbers in such columns, from the least to the greatest of each."""
    changed = value.clone()
    for column in whole_columns(value):
        held = value[..., column]
        low, high = int(held.min()), int(held.max())
        drawn = torch.randint(low, high + 1, held.shape, generator=generator)
        changed[..., column] = drawn.to(held)
    return changed


def _may_hold(tensor: torch.Tensor) -> bool:
    return is_inexact(tensor) and not tensor.is_complex() and tensor.element_size() > 1 and tensor.numel() > 0


def _are_whole(values: torch.Tensor) -> torch.Tensor:
    return (values == values.round()) & (values >= 0) & (values < MOST)
