"""Cases of benchmarks/kernels.py on images, tables and packed numbers."""

from __future__ import annotations

from typing import Any

import torch
from kernel_case import Case, Tensors, first, normal

from outpace_kernels.global_response_norm import fused_global_response_norm, global_response_norm_reference
from outpace_kernels.global_response_norm_linear import (
    fused_global_response_norm_linear,
    global_response_norm_linear_reference,
)
from outpace_kernels.grouped_linear import fused_grouped_linear
from outpace_kernels.ngram_gather import fused_ngram_gather, ngram_gather_reference
from outpace_kernels.nvfp4 import (
    fused_nvfp4_dequantize,
    fused_nvfp4_quantize,
    nvfp4_dequantize_reference,
    nvfp4_quantize_reference,
)
from outpace_kernels.touched_rows import fused_touched_rows, touched_rows_reference

FORWARD = ("forward",)


def global_response_norm_cases() -> list[Case]:
    """First stages of ConvNeXt-V2, base and large, at 224 pixels: their MLP's norm, and the layer after it."""

    def case(batch: int, length: int, channels: int, outs: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            b, n, c, o = (2, 9, 20, 4) if smoke else (batch, length, channels, outs)
            dtype = torch.float32 if smoke else dtype
            tensors = [normal(device, dtype, b, n, c), *(normal(device, dtype, c) for _ in range(2))]
            linear = [normal(device, dtype, o, c, scale=c**-0.5), normal(device, dtype, o)]
            return [*tensors, *(linear if outs else [])]

        label, kind, share = f"{batch}x{length}x{channels}", torch.bfloat16, outs / channels
        also = ("global_response_norm_linear",) if outs else ()
        if outs:
            ours, reference = fused_global_response_norm_linear, global_response_norm_linear_reference
            name, wanted, moved = "global_response_norm linear", (0, 1, 2, 3, 4), (1 + share, 3 + 2 * share)
            label += f"x{outs}"
        else:
            ours, reference = fused_global_response_norm, global_response_norm_reference
            name, wanted, moved = "global_response_norm", (0, 1, 2), (2, 5)
        return Case(name, label, kind, make, ours, reference, wanted, moved, first, also=also)

    return [case(128, 3136, 512, 128), case(64, 3136, 768, 192), case(64, 3136, 512, 0)]


def grouped_linear_cases() -> list[Case]:
    """Against PyTorch's own grouped product, and against an expert at a time with sizes that the host knows: who has
    only the device's, as here, would wait for the host at each layer.
    """

    def case(rows: int, width: int, out: int, experts: int, library: bool) -> Case:
        def sizes(count: int, number: int) -> list[int]:
            ends = [int((at / number) ** 1.3 * count) for at in range(1, number + 1)]
            return [end - start for start, end in zip([0, *ends], ends, strict=False)]

        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            t, k, n, e, dtype = (40, 16, 24, 3, torch.float32) if smoke else (rows, width, out, experts, dtype)
            ends = torch.tensor(sizes(t, e)).cumsum(0).int().to(device)
            return [normal(device, dtype, t, k), normal(device, dtype, e, n, k, scale=k**-0.5), ends]

        def reference(x: Any, weight: Any, ends: Any) -> Any:
            if library and x.is_cuda:
                return torch._grouped_mm(x, weight.transpose(1, 2), offs=ends)
            parts = zip(x.split(sizes(x.shape[0], weight.shape[0])), weight, strict=True)
            return torch.cat([torch.nn.functional.linear(part, one) for part, one in parts])

        name = "grouped_linear over grouped_mm" if library else "grouped_linear"
        label, kind = f"{rows}x{width}x{out} {experts} experts", torch.bfloat16
        return Case(name, label, kind, make, fused_grouped_linear, reference, (0, 1), (0, 0), first)

    return [
        case(65536, 2048, 768, 128, False),
        case(16384, 4096, 14336, 8, True),
        case(65536, 2048, 768, 128, True),
    ]


def ngram_gather_cases() -> list[Case]:
    def case(label: str, width: int, order: int, rows: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            batch, length, count = (2, 5, 99) if smoke else (72, 2048, rows)
            return [torch.randint(0, 50304, (batch, length), device=device), normal(device, dtype, count, width)]

        def ours(tokens: Any, table: Any) -> Any:
            return fused_ngram_gather(tokens, table, 50304, order)

        def reference(tokens: Any, table: Any) -> Any:
            return ngram_gather_reference(tokens, table, 50304, order)

        def unit(tensors: Tensors) -> int:
            return tensors[0].numel() * width

        kind = torch.bfloat16
        return Case("ngram_gather", label, kind, make, ours, reference, (), (2, 0), unit, FORWARD)

    return [
        case("bigram 147456x768 of 524288", 768, 2, 524288),
        case("trigram 147456x384 of 2097152", 384, 3, 2097152),
    ]


def touched_rows_cases() -> list[Case]:
    """At a rate of zero, so that turns repeat, on moments that each turn clears, so that its own are compared."""

    def case(label: str, skewed: bool) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            count, rows, width = (12, 20, 8) if smoke else (147456, 524288, 768)
            twice = torch.arange(count, device=device) % (count // 2) * 7919 % rows
            keys = (torch.rand(count, device=device) ** 8 * rows).long() if skewed else twice
            moments, rate = torch.zeros(rows, device=device), torch.zeros((), device=device)
            grads = normal(device, dtype, count, width)
            return [normal(device, dtype, rows, width), moments, keys, grads, rate, torch.ones((), device=device)]

        def called(function: Any) -> Any:
            def call(table: Any, moments: Any, *rest: Any) -> Any:
                moments.zero_()
                function(table, moments, *rest, beta=1e-30)
                return moments.clone()

            return call

        def unit(tensors: Tensors) -> int:
            return tensors[3].numel()

        ours, reference, moved = called(fused_touched_rows), called(touched_rows_reference), (0 if skewed else 2, 0)
        return Case("touched_rows", label, torch.bfloat16, make, ours, reference, (), moved, unit, FORWARD)

    return [case("147456x768 of 524288, each twice", False), case("147456x768 of 524288, skewed", True)]


def nvfp4_cases() -> list[Case]:
    """Numbers near those that four bits hold: no arm's division decides a tie another way."""

    def numbers(shape: tuple[int, int], device: str, dtype: torch.dtype, smoke: bool) -> torch.Tensor:
        shape = (3, 32) if smoke else shape
        sizes = torch.tensor([0.5, 1, 1.5, 2, 3, 4, 6, 0.0], device=device)
        x = sizes[torch.randint(0, 8, shape, device=device)] * (1 + 0.02 * torch.rand(shape, device=device))
        x = x * torch.randint(0, 2, shape, device=device).mul(2).sub(1)
        x[:, ::16] = 6.0
        return (x * torch.randint(0, 5, (shape[0], 1), device=device).exp2()).to(dtype)

    def quantize(shape: tuple[int, int], given: bool) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            return [numbers(shape, device, dtype, smoke), *([torch.ones((), device=device)] if given else [])]

        def called(function: Any) -> Any:
            def call(*tensors: Any) -> Any:
                packed, scales, whole = function(*tensors)
                return packed, scales.view(torch.uint8), whole

            return call

        name, label = "nvfp4 scale given" if given else "nvfp4", f"{shape[0]}x{shape[1]}"
        ours, reference = called(fused_nvfp4_quantize), called(nvfp4_quantize_reference)
        return Case(name, label, torch.bfloat16, make, ours, reference, (), (1.28125, 0), first, FORWARD)

    def dequantize(shape: tuple[int, int]) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            packed, scales, whole = nvfp4_quantize_reference(numbers(shape, device, dtype, smoke))
            return [packed, scales, whole]

        def unit(tensors: Tensors) -> int:
            return tensors[0].numel() * 2

        name, label = "nvfp4 dequantize", f"{shape[0]}x{shape[1]}"
        ours, reference = fused_nvfp4_dequantize, nvfp4_dequantize_reference
        return Case(name, label, torch.bfloat16, make, ours, reference, (), (1.28125, 0), unit, FORWARD)

    return [quantize((16384, 4096), False), quantize((16384, 4096), True), dequantize((16384, 4096))]
