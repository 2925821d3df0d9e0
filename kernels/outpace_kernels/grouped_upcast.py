"""Linear layers of experts in fp32 with weights that were narrower, on tensor cores: `x @ weight[e].float().t()`.

    y[i] = x[i] weight[e]ᵀ for ends[e-1] ≤ i < ends[e], in fp32

As `upcast_product`: what is of 16 bits is multiplied exactly, and x of fp32 as three bf16 numbers that add up to it. No
gradient: where one is wanted it is computed as it is written.
"""

from __future__ import annotations

import torch

from outpace_kernels.grouped_linear import grouped_linear_fits, grouped_linear_reference, grouped_linear_rows_by
from outpace_kernels.upcast_product import upcast_product_parts


def grouped_upcast_reference(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """The same as it is written, an expert at a time."""
    return grouped_linear_reference(x.float(), weight.float(), ends)


def grouped_upcast(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """[tokens, out] in fp32, zero in rows beyond the last end. Arguments as `grouped_linear` has them, or x of fp32.
    What `grouped_upcast_fits` refuses is computed by the reference.
    """
    fits = grouped_upcast_fits(x, weight, ends)
    return (fused_grouped_upcast if fits else grouped_upcast_reference)(x, weight, ends)


def grouped_upcast_fits(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> bool:
    """As `grouped_linear_fits`, but x may be fp32 where weights are bf16; without autocast, and without a gradient."""
    exact = x.dtype is weight.dtype or (x.dtype is torch.float32 and weight.dtype is torch.bfloat16)
    wanted = torch.is_grad_enabled() and (x.requires_grad or weight.requires_grad)
    if not (x.is_cuda and exact) or wanted or torch.is_autocast_enabled("cuda"):
        return False
    return grouped_linear_fits(torch.empty_like(x, dtype=weight.dtype), weight, ends)


def fused_grouped_upcast(x: torch.Tensor, weight: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    weight, ends = weight.contiguous(), ends.int().contiguous()
    parts = (x,) if x.dtype is weight.dtype else upcast_product_parts(x)
    compiling = torch.compiler.is_compiling()
    rows = [part.contiguous() if compiling or part.data_ptr() % 16 == 0 else part.clone() for part in parts]
    first, *rest = [grouped_linear_rows_by(part, weight, ends, True, torch.float32) for part in rows]
    return torch.where(first.isfinite(), first + (rest[0] + rest[1]), first) if rest else first
