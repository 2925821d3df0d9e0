"""On CUDA: inputs that get their values only when the call has been made, in stream order, as after any operation that
was launched just before. Who works on another stream without waiting for this one reads zeros; what another stream has
not written when the call returns is seen unwritten, because everything here was launched before anything ran."""

from __future__ import annotations

from collections.abc import Sequence

import torch

BUSY_CYCLES = 10_000_000
"""About 5 ms: longer than most calls and the reading of their results take to launch."""


def arrive_late(tensors: Sequence[torch.Tensor], values: Sequence[torch.Tensor]) -> None:
    """`values`: copies of the tensors. What the tensors' version counters say stays as it is."""
    late = [(tensor.data, value) for tensor, value in zip(tensors, values, strict=True) if _can_be_rewritten(tensor)]
    for tensor, _ in late:
        tensor.zero_()
    if late:
        torch.cuda._sleep(BUSY_CYCLES)  # pyright: ignore[reportPrivateUsage]  # torch's own tests delay streams so
    for tensor, value in late:
        tensor.copy_(value)


def _can_be_rewritten(tensor: torch.Tensor) -> bool:
    repeats = any(step == 0 and size > 1 for size, step in zip(tensor.shape, tensor.stride(), strict=True))
    return tensor.is_cuda and not repeats and not str(tensor.dtype).startswith("torch.float4")
