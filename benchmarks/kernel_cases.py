"""What benchmarks/kernels.py measures: each kernel and its reference on shapes of GPT-2-small to 8B models.

`moved` counts what each pass has to move: what it needs read once, what it gives written once.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from kernel_case import Case, Tensors, first, normal, small
from kernel_cases_fp8 import fp8_groups
from kernel_cases_sequences import gated_scan_cases, linear_attention_cases, split_kv_decode_cases
from kernel_cases_tables import (
    global_response_norm_cases,
    grouped_linear_cases,
    ngram_gather_cases,
    nvfp4_cases,
    touched_rows_cases,
)

from outpace_kernels.causal_conv import causal_conv_reference, fused_causal_conv
from outpace_kernels.cross_entropy import cross_entropy_reference, fused_cross_entropy
from outpace_kernels.glu import fused_glu, glu_reference
from outpace_kernels.interleaved_rope import fused_interleaved_rope, interleaved_rope_reference
from outpace_kernels.layer_norm import fused_layer_norm, layer_norm_reference
from outpace_kernels.linear_cross_entropy import fused_linear_cross_entropy, linear_cross_entropy_reference
from outpace_kernels.qk_norm_rope import fused_qk_norm_rope, qk_norm_rope_reference
from outpace_kernels.relu_squared import fused_relu_squared, relu_squared_reference
from outpace_kernels.rms_norm import fused_rms_norm, rms_norm_reference
from outpace_kernels.rope import fused_rope, rope_reference
from outpace_kernels.routing import (
    fused_group_routing,
    fused_softmax_routing,
    group_routing_reference,
    softmax_routing_reference,
)
from outpace_kernels.softmax import fused_softmax, softmax_reference


def rows_and_gain(shape: tuple[int, ...], device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
    shape = small(shape, smoke)
    return [normal(device, dtype, *shape), 1 + normal(device, dtype, shape[-1], scale=0.1)]


def rows_gain_and_residual(shape: tuple[int, ...], device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
    return [*rows_and_gain(shape, device, dtype, smoke), normal(device, dtype, *small(shape, smoke))]


def pair(shape: tuple[int, ...], device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
    return [normal(device, dtype, *small(shape, smoke)) for _ in range(2)]


def logits_and_targets(shape: tuple[int, ...], device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
    shape = small(shape, smoke)
    return [normal(device, dtype, *shape, scale=2), torch.randint(0, shape[1], shape[:1], device=device)]


def rms_cases() -> list[Case]:
    def case(label: str, shape: tuple[int, ...], dtype: torch.dtype = torch.bfloat16) -> Case:
        ours, reference = (partial(_third, function, 1e-6) for function in (fused_rms_norm, rms_norm_reference))
        return Case("rms_norm", label, dtype, partial(rows_and_gain, shape), ours, reference, (0, 1), (2, 5), first)

    def with_residual(label: str, shape: tuple[int, ...]) -> Case:
        def ours(x: Any, w: Any, r: Any) -> Any:
            return fused_rms_norm(x, w, 1e-6, residual=r)

        def reference(x: Any, w: Any, r: Any) -> Any:
            return rms_norm_reference(x, w, 1e-6, residual=r)

        make = partial(rows_gain_and_residual, shape)
        return Case("rms_norm residual", label, torch.bfloat16, make, ours, reference, (0, 1, 2), (4, 8), first)

    return [
        case("8192x4096", (8192, 4096)),
        with_residual("8192x4096", (8192, 4096)),
        case("32768x768", (32768, 768)),
        case("heads 8192x32x128", (8192, 32, 128)),
        case("32768x1024", (32768, 1024), torch.float32),
    ]


def _third(function: Callable[..., Any], last: Any, *tensors: Any) -> Any:
    return function(*tensors, last)


def glu_cases() -> list[Case]:
    def case(label: str, shape: tuple[int, ...], activation: str) -> Case:
        ours, reference = (partial(_third, function, activation) for function in (fused_glu, glu_reference))
        name = "glu" if activation == "silu" else f"glu {activation}"
        return Case(name, label, torch.bfloat16, partial(pair, shape), ours, reference, (0, 1), (3, 8), first)

    return [case("8192x14336", (8192, 14336), "silu"), case("32768x3072", (32768, 3072), "gelu_tanh")]


def cross_entropy_cases() -> list[Case]:
    def case(label: str, shape: tuple[int, int], dtype: torch.dtype) -> Case:
        make = partial(logits_and_targets, shape)
        return Case(
            "cross_entropy", label, dtype, make, fused_cross_entropy, cross_entropy_reference, (0,), (1, 3), first
        )

    return [
        case("16384x50304", (16384, 50304), torch.bfloat16),
        case("8192x128256", (8192, 128256), torch.bfloat16),
        case("8192x50304", (8192, 50304), torch.float32),
    ]


def layer_norm_cases() -> list[Case]:
    def make(shape: tuple[int, ...], device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
        x, weight = rows_and_gain(shape, device, dtype, smoke)
        return [x, weight, normal(device, dtype, x.shape[-1]), normal(device, dtype, *x.shape)]

    def ours(x: Any, w: Any, b: Any, r: Any = None) -> Any:
        return fused_layer_norm(x, w, b, 1e-5, r)

    def reference(x: Any, w: Any, b: Any, r: Any = None) -> Any:
        return layer_norm_reference(x, w, b, 1e-5, r)

    def plain(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
        return make((32768, 768), device, dtype, smoke)[:3]

    residual = partial(make, (32768, 768))
    both = partial(make, (8192, 4096))
    name, kind = "layer_norm residual", torch.bfloat16
    return [
        Case(name, "32768x768", kind, residual, ours, reference, (0, 1, 2, 3), (4, 8), first),
        Case("layer_norm", "32768x768", torch.float32, plain, ours, reference, (0, 1, 2), (2, 5), first),
        Case(name, "8192x4096", kind, both, ours, reference, (0, 1, 2, 3), (4, 8), first),
    ]


def softmax_cases() -> list[Case]:
    def case(label: str, shape: tuple[int, ...], softcap: float) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            return [normal(device, dtype, *small(shape, smoke), scale=3)]

        ours, reference = (partial(_third, function, softcap) for function in (fused_softmax, softmax_reference))
        name = "softmax softcap" if softcap else "softmax"
        return Case(name, label, torch.bfloat16, make, ours, reference, (0,), (2, 5), first)

    return [case("65536x2048", (65536, 2048), 50.0), case("131072x1024", (131072, 1024), 0.0)]


def rope_cases() -> list[Case]:
    def case(label: str, batch: int, heads: int, key_heads: int, length: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            rows = 3 if smoke else length
            q, k = (normal(device, dtype, batch, rows, h, width).transpose(1, 2) for h in (heads, key_heads))
            return [q, k, *(normal(device, dtype, rows, width) for _ in range(2))]

        def moved(tensors: Tensors) -> int:
            return tensors[0].numel() + tensors[1].numel()

        return Case("rope", label, torch.bfloat16, make, fused_rope, rope_reference, (0, 1), (2, 4), moved)

    return [case("4x2048 32+8 heads of 128", 4, 32, 8, 2048, 128), case("16x1024 12+12 of 64", 16, 12, 12, 1024, 64)]


def interleaved_rope_cases() -> list[Case]:
    """Tables as `view_as_real` gives them of complex ones, and heads after places: Llama's own code has both."""

    def case(label: str, batch: int, heads: int, key_heads: int, length: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            rows = 3 if smoke else length
            q, k = (normal(device, dtype, batch, rows, h, width) for h in (heads, key_heads))
            return [q, k, *normal(device, torch.float32, rows, 1, width // 2, 2).unbind(-1)]

        def moved(tensors: Tensors) -> int:
            return tensors[0].numel() + tensors[1].numel()

        ours = partial(fused_interleaved_rope, dtype=torch.bfloat16)
        return Case("interleaved_rope", label, torch.bfloat16, make, ours, interleaved_in_fp32, (0, 1), (2, 4), moved)

    return [case("4x2048 32+8 heads of 128", 4, 32, 8, 2048, 128), case("16x1024 12+12 of 64", 16, 12, 12, 1024, 64)]


def interleaved_in_fp32(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> tuple[Any, ...]:
    turned = interleaved_rope_reference(q.float(), k.float(), cos, sin)
    return tuple(one.to(q.dtype) for one in turned if one is not None)


def qk_norm_rope_cases() -> list[Case]:
    def case(label: str, batch: int, heads: int, key_heads: int, length: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            rows = 3 if smoke else length
            q, k = (normal(device, dtype, batch, rows, h, width).transpose(1, 2) for h in (heads, key_heads))
            gains = (1 + normal(device, dtype, width, scale=0.1) for _ in range(2))
            return [q, k, *gains, *(normal(device, dtype, rows, width) for _ in range(2))]

        def moved(tensors: Tensors) -> int:
            return tensors[0].numel() + tensors[1].numel()

        ours, reference = (partial(_third, one, 1e-6) for one in (fused_qk_norm_rope, qk_norm_rope_reference))
        return Case("qk_norm_rope", label, torch.bfloat16, make, ours, reference, (0, 1, 2, 3), (2, 5), moved)

    return [case("4x2048 32+8 heads of 128", 4, 32, 8, 2048, 128), case("16x1024 12+12 of 64", 16, 12, 12, 1024, 64)]


def causal_conv_cases() -> list[Case]:
    def case(label: str, batch: int, length: int, channels: int, taps: int, silu: bool) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            x = normal(device, dtype, *small((batch, length, channels), smoke))
            weight = normal(device, dtype, x.shape[2], taps, scale=taps**-0.5)
            return [x, weight, normal(device, dtype, x.shape[2])]

        ours, reference = (partial(_third, one, silu) for one in (fused_causal_conv, causal_conv_reference))
        name = "causal_conv silu" if silu else "causal_conv"
        return Case(name, label, torch.bfloat16, make, ours, reference, (0, 1, 2), (2, 5), first)

    return [
        case("4x2048x8192 4 taps", 4, 2048, 8192, 4, True),
        case("16x1024x1536 4 taps", 16, 1024, 1536, 4, True),
        case("16x1024x768 3 taps", 16, 1024, 768, 3, False),
    ]


def linear_cross_entropy_cases() -> list[Case]:
    def case(label: str, rows: int, width: int, classes: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            n, d, c = (5, 16, 40) if smoke else (rows, width, classes)
            x, weight = normal(device, dtype, n, d), normal(device, dtype, c, d, scale=d**-0.5)
            return [x, weight, torch.randint(0, c, (n,), device=device)]

        ours, reference = fused_linear_cross_entropy, linear_cross_entropy_reference
        name = "linear_cross_entropy"
        return Case(name, label, torch.bfloat16, make, ours, reference, (0, 1), (0, 0), first, ("forward+backward",))

    return [case("16384x768x50304", 16384, 768, 50304), case("8192x4096x128256", 8192, 4096, 128256)]


def relu_squared_cases() -> list[Case]:
    def case(label: str, rows: int, width: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            n, d = (5, 16) if smoke else (rows, width)
            dtype = torch.float32 if smoke else dtype
            weights = [normal(device, dtype, *shape, scale=d**-0.5) for shape in ((4 * d, d), (d, 4 * d))]
            return [normal(device, dtype, n, d), *weights]

        ours, reference = fused_relu_squared, relu_squared_reference
        others = {how: partial(_third, fused_relu_squared, how) for how in ("pointers", "library")}
        return Case(
            "relu_squared", label, torch.bfloat16, make, ours, reference, (0, 1, 2), (0, 0), first, others=others
        )

    return [
        case("49152x768x3072", 49152, 768),
        case("16384x4096x16384", 16384, 4096),
        case("32768x1024x4096", 32768, 1024),
        case("16384x2048x8192", 16384, 2048),
    ]


def routing_cases() -> list[Case]:
    """Forward moves the logits, and a weight and a 64-bit index for each expert chosen; backward the logits twice."""

    def case(label: str, rows: int, experts: int, top: int, groups: int, kept: int) -> Case:
        def make(device: str, dtype: torch.dtype, smoke: bool) -> Tensors:
            logits = far_apart(normal(device, dtype, 3 if smoke else rows, experts), max(groups, 1))
            return [logits, torch.zeros(experts, device=device)] if groups else [logits]

        def ours(x: Any, b: Any = None) -> Any:
            return fused_group_routing(x, b, top, groups, kept, 2.5)[0] if groups else fused_softmax_routing(x, top)[0]

        def reference(x: Any, b: Any = None) -> Any:
            chosen = (
                group_routing_reference(x, b, top, groups, kept, 2.5) if groups else softmax_routing_reference(x, top)
            )
            return chosen[0]

        name, share = "routing groups" if groups else "routing softmax", top / experts
        moved = 1 + 3 * share, 3 + 7 * share
        return Case(name, label, torch.float32, make, ours, reference, (0,), moved, first)

    return [
        case("16384x256 4 of 8 groups, top 8", 16384, 256, 8, 8, 4),
        case("16384x128 top 8", 16384, 128, 8, 0, 0),
        case("32768x64 top 6", 32768, 64, 6, 0, 0),
        case("32768x8 top 2", 32768, 8, 2, 0, 0),
    ]


def far_apart(logits: torch.Tensor, groups: int) -> torch.Tensor:
    """Where rounding may decide a row, the row whose scores and sums of groups are furthest from a tie in its place."""
    scores = torch.sigmoid(logits)
    sums = scores.unflatten(-1, (groups, -1)).sort(-1, descending=True).values[..., :2].sum(-1)
    gap = scores.sort(-1).values.diff(dim=-1).amin(-1)
    if groups > 1:
        gap = torch.minimum(gap, sums.sort(-1).values.diff(dim=-1).amin(-1))
    return torch.where((gap < 2e-6)[:, None], logits[gap.argmax()[None]], logits)


def cases() -> list[Case]:
    """The first case of each kernel before the second of any: what a deadline cuts off is the less telling half."""
    groups = [
        rms_cases(),
        layer_norm_cases(),
        glu_cases(),
        cross_entropy_cases(),
        rope_cases(),
        softmax_cases(),
        relu_squared_cases(),
        linear_cross_entropy_cases(),
        routing_cases(),
        interleaved_rope_cases(),
        qk_norm_rope_cases(),
        causal_conv_cases(),
        gated_scan_cases(),
        linear_attention_cases(),
        split_kv_decode_cases(),
        global_response_norm_cases(),
        grouped_linear_cases(),
        ngram_gather_cases(),
        touched_rows_cases(),
        nvfp4_cases(),
        *fp8_groups(),
    ]
    ordered: list[Case] = []
    while any(groups):
        ordered += [group.pop(0) for group in groups if group]
    return ordered
