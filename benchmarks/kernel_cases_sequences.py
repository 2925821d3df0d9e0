"""Cases of benchmarks/kernels.py along a sequence: scans, linear attention, decoding."""

from __future__ import annotations

from typing import Any

import torch
from kernel_case import Case, Tensors, first, normal, small

from outpace_kernels.gated_scan import fused_gated_scan, gated_scan_reference
from outpace_kernels.linear_attention import fused_linear_attention, linear_attention_reference
from outpace_kernels.split_kv_decode import fused_split_kv_decode, split_kv_decode_reference


def gated_scan_cases() -> list[Case]:
    def case(label: str, shape: tuple[int, ...]) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            sizes = small(shape, smoke)
            gate = torch.sigmoid(normal(device, torch.float32, *sizes) + 2).to(dtype)
            return [gate, normal(device, dtype, *sizes)]

        ours, reference = fused_gated_scan, gated_scan_reference
        return Case("gated_scan", label, torch.bfloat16, make, ours, reference, (0, 1), (3, 8), first)

    return [case("8x2048x4096", (8, 2048, 4096)), case("16x1024x768", (16, 1024, 768))]


def linear_attention_cases() -> list[Case]:
    """RetNet's shape has queries and keys in each head; in Mamba-2's, all heads share them."""

    def case(label: str, batch: int, length: int, heads: int, shared: bool, width: int, v_width: int) -> Case:
        key_heads = 1 if shared else heads

        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            b, n, dtype = (1, 70, torch.float32) if smoke else (batch, length, dtype)
            q, k = (normal(device, dtype, b, n, key_heads, width, scale=width**-0.25) for _ in range(2))
            steps = torch.nn.functional.softplus(normal(device, torch.float32, b, n, heads) - 2)
            return [q, k, normal(device, dtype, b, n, heads, v_width), -steps]

        def spread(function: Any) -> Any:
            def call(q: Any, k: Any, v: Any, decay: Any) -> Any:
                return function(*(one.expand(-1, -1, heads, -1) for one in (q, k)), v, decay)

            return call

        def unit(tensors: Tensors) -> int:
            return tensors[2].numel()

        share = 2 * width * key_heads / (v_width * heads)
        moved = 2 + share, 5 + 3 * share
        ours, reference = spread(fused_linear_attention), spread(linear_attention_reference)
        return Case("linear_attention", label, torch.bfloat16, make, ours, reference, (0, 1, 2, 3), moved, unit)

    return [
        case("4x2048 16 heads of 128", 4, 2048, 16, False, 128, 128),
        case("8x2048 24 heads of 64, one state of 128", 8, 2048, 24, True, 128, 64),
    ]


def split_kv_decode_cases() -> list[Case]:
    """Lengths from half of the cache to all of it: three quarters of it are moved."""

    def case(label: str, batch: int, heads: int, key_heads: int, capacity: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            b, n, dtype = (2, 70, torch.float32) if smoke else (batch, capacity, dtype)
            lengths = torch.linspace(n // 2, n, b, device=device).int()
            k, v = (normal(device, dtype, b, key_heads, n, width) for _ in range(2))
            return [normal(device, dtype, b, heads, width), k, v, lengths]

        def unit(tensors: Tensors) -> int:
            return tensors[1].numel() * 2

        ours, reference = fused_split_kv_decode, split_kv_decode_reference
        name, moved = "split_kv_decode", (0.75, 0.0)
        return Case(name, label, torch.bfloat16, make, ours, reference, (), moved, unit, ("forward",))

    return [
        case("32x8192 32+8 heads of 128", 32, 32, 8, 8192, 128),
        case("2x32768 32+8 heads of 128", 2, 32, 8, 32768, 128),
        case("64x1024 12+12 heads of 64", 64, 12, 12, 1024, 64),
    ]
