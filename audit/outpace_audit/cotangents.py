"""What a backward pass begins with: the results that carry gradients, and a secret cotangent for each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from outpace_audit.tensors import Leaf


def differentiable_outputs(outputs: Sequence[Leaf]) -> list[torch.Tensor]:
    return [leaf.value for leaf in outputs if isinstance(leaf.value, torch.Tensor) and leaf.value.requires_grad]


def draw_cotangents(specs: Sequence[Sequence[Any]], seed: int, device: torch.device) -> list[torch.Tensor]:
    """One secret normal cotangent for each [shape, dtype] of the baseline's differentiable outputs."""
    drawn: list[torch.Tensor] = []
    for i, (shape, dtype) in enumerate(specs):
        generator = torch.Generator(device).manual_seed((seed + 7919 * (i + 1)) % 2**63)
        wanted: torch.dtype = getattr(torch, dtype)
        wide = torch.complex64 if wanted.is_complex else torch.float32
        drawn.append(torch.randn(shape, generator=generator, device=device, dtype=wide).to(wanted))
    return drawn
