"""Inputs inside larger storage: canaries around them, odd addresses, other strides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._pytree import tree_map

LAYOUTS = ("odd", "strided", "cut", "turned", "broadcast")
"""odd: past an aligned address, by what `_past` says. strided: every second element of rows twice as long. cut: a part
of longer rows, as joint projections and buffers with room to spare are sliced; elements of a row lie side by side.
turned: so do they, and all dimensions before the last in the opposite order, as heads and times are. broadcast:
the first dimension that is longer than one has stride 0, so the values repeat along it."""

GUARDED = "guarded"
"""Strides and alignment as drawn; only the storage is larger."""

GUARD_BYTES = 4096
"""On each side of an input: a page, so that the alignment stays what the allocator gives (64 bytes, 512 on CUDA)."""

NAN_FILL, FINITE_FILL = 0xFF, 0x7B
"""Bytes that read as NaN or -1, and as about 1e36 (fp16: 61,280) or a huge integer: what one hides the other shows."""

CUDA_LOAD_BYTES = 16

_WHOLE = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}


@dataclass(frozen=True, slots=True)
class Placed:
    """One input and the storage that holds it and nothing else."""

    tensor: torch.Tensor
    storage: torch.Tensor
    fill: int

    def intact(self) -> bool:
        """Whether every byte that is not the input's still holds the fill."""
        size = self.tensor.element_size()
        pattern = int.from_bytes(bytes([self.fill]) * size, "little", signed=size > 1)
        copy = self.storage.clone()
        inside = copy.view(_WHOLE[size]).as_strided(
            self.tensor.shape, self.tensor.stride(), self.tensor.storage_offset()
        )
        _distinct(inside).fill_(pattern)
        return bool((copy == self.fill).all())


def place_all(arguments: list[Any], layout: str, fill: int) -> tuple[list[Any], list[Placed]]:
    """The arguments with every tensor that can be placed in storage of its own, one entry for each tensor placed."""
    placed: dict[int, Placed] = {}

    def place(leaf: Any) -> Any:
        if not isinstance(leaf, torch.Tensor) or not _can_be_placed(leaf):
            return leaf
        if id(leaf) not in placed:
            placed[id(leaf)] = _place(leaf, layout, fill)
        return placed[id(leaf)].tensor

    return tree_map(place, arguments), list(placed.values())


def _can_be_placed(tensor: torch.Tensor) -> bool:
    return (
        tensor.layout is torch.strided
        and tensor.numel() > 0
        and tensor.element_size() in _WHOLE
        and not str(tensor.dtype).startswith("torch.float4")
    )


def _place(tensor: torch.Tensor, layout: str, fill: int) -> Placed:
    strides = _strides(tensor, layout)
    extent = 1 + sum((size - 1) * step for size, step in zip(tensor.shape, strides, strict=True))
    guard = GUARD_BYTES // tensor.element_size()
    offset = guard + (_past(tensor) if layout == "odd" else 0)
    bytes_ = (offset + extent + guard) * tensor.element_size()
    storage = torch.full((bytes_,), fill, dtype=torch.uint8, device=tensor.device)
    inside = storage.view(tensor.dtype).as_strided(tensor.shape, strides, offset)
    target = _distinct(inside)
    target.copy_(tensor.detach().as_strided(target.shape, tensor.stride()) if layout != "broadcast" else _head(tensor))
    return Placed(inside.requires_grad_(tensor.requires_grad), storage, fill)


def _past(tensor: torch.Tensor) -> int:
    """One element; on CUDA 16 bytes, because nothing narrower can go wrong unseen there: a wide load that lies askew
    ends the context, and torch's own attention kernels use such loads."""
    return max(1, CUDA_LOAD_BYTES // tensor.element_size()) if tensor.is_cuda else 1


def _strides(tensor: torch.Tensor, layout: str) -> tuple[int, ...]:
    if layout in (GUARDED, "odd"):
        return tensor.stride()
    step = 2 if layout == "strided" else 1
    strides = [step] * tensor.dim()
    order = list(reversed(range(tensor.dim())))
    for d in [*order[:1], *reversed(order[1:])] if layout == "turned" else order:
        strides[d] = step
        step *= tensor.shape[d]
        if d == tensor.dim() - 1 and layout == "cut":
            step += max(1, step // 2)
    if layout == "broadcast":
        longer = _repeated(tensor)
        strides = [0 if d == longer else stride for d, stride in enumerate(strides)]
    return tuple(strides)


def _repeated(tensor: torch.Tensor) -> int | None:
    return next((d for d, size in enumerate(tensor.shape) if size > 1), None)


def _head(tensor: torch.Tensor) -> torch.Tensor:
    longer = _repeated(tensor)
    return tensor.detach() if longer is None else tensor.detach().narrow(longer, 0, 1)


def _distinct(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor without the repetitions that strides of 0 make, so that it can be written to."""
    for d, (size, step) in enumerate(zip(tensor.shape, tensor.stride(), strict=True)):
        if step == 0 and size > 1:
            tensor = tensor.narrow(d, 0, 1)
    return tensor
