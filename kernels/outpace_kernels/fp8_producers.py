"""What comes before a linear layer, with its result in e4m3 and a scale a row: no pass of its own for quantising.

    rms_norm_fp8        RMSNorm, with gain, with the residual's sum before it
    activation_fp8      relu(pre)², or silu(gate) up

Each is one pass: a program holds whole rows, so that their largest number is known before they are written. The numbers
are quantised as they are in fp32; a rounding to bf16 before that, as separate kernels do it, is left out. The layers
after them keep the inputs alone, and compute what came between again in backward, in bf16.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from outpace_kernels.fp8_linear import FP8LinearFunction, fp8_linear_reference, fp8_rows
from outpace_kernels.glu import fused_glu, glu_activation
from outpace_kernels.rms_norm import fused_rms_norm, rms_norm_reference

Quantized = tuple[torch.Tensor, torch.Tensor]
"""Codes, [rows, width] in e4m3, and scales, [rows, 1] in fp32."""


@triton.jit
def fp8_store_rows(value, codes, scales, row, column, rows, width):
    """Quantises whole rows that are held in registers, zeros beyond their width."""
    most = tl.max(tl.abs(value), axis=1, keep_dims=True)
    scale = tl.maximum(most * (1.0 / 448.0), 7.52316384526264e-37)  # 2^-120, as in fp8_linear
    tl.store(scales + row, scale, mask=row < rows)
    value *= tl.div_rn(1.0, scale)
    at = row.to(tl.int64) * width + column
    tl.store(codes + at, value.to(codes.dtype.element_ty), mask=(row < rows) & (column < width))


@triton.jit
def rms_norm_rows(
    x,
    residual,
    weight,
    total,
    codes,
    scales,
    squares,
    rows,
    width,
    eps,
    WANTS_SQUARES: tl.constexpr,
    HAS_RESIDUAL: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    at = row.to(tl.int64) * width + column
    inside = (row < rows) & (column < width)
    value = tl.load(x + at, mask=inside, other=0.0)
    if HAS_RESIDUAL:
        value = (value.to(tl.float32) + tl.load(residual + at, mask=inside, other=0.0).to(tl.float32)).to(value.dtype)
        tl.store(total + at, value, mask=inside)
    value = value.to(tl.float32)
    value *= tl.rsqrt(tl.sum(value * value, axis=1, keep_dims=True) / width + eps)
    if HAS_WEIGHT:
        value *= tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    if WANTS_SQUARES:
        tl.store(squares + row, tl.sum(value * value, axis=1, keep_dims=True), mask=row < rows)
    fp8_store_rows(value, codes, scales, row, column, rows, width)


@triton.jit
def activation_rows(
    gate,
    up,
    kept,
    codes,
    scales,
    rows,
    width,
    gate_row,
    up_row,
    GATED: tl.constexpr,
    KEEP: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    inside = (row < rows) & (column < width)
    wide = row.to(tl.int64)
    value = tl.load(gate + wide * gate_row + column, mask=inside, other=0.0).to(tl.float32)
    if GATED:
        value, _ = glu_activation(value, "silu")
        value *= tl.load(up + wide * up_row + column, mask=inside, other=0.0).to(tl.float32)
    else:
        value = tl.where(value <= 0, 0.0, value)
        value *= value
    if KEEP:
        tl.store(kept + wide * width + column, value.to(kept.dtype.element_ty), mask=inside)
    fp8_store_rows(value, codes, scales, row, column, rows, width)


def rms_norm_fp8(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    eps: float,
    residual: torch.Tensor | None = None,
    squares: torch.Tensor | None = None,
) -> Quantized | tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes and scales, and with a residual also x + residual. `squares`, [rows] in fp32, gets each row's sum of
    squares. No gradient: `fp8_norm_linear` has one.
    """
    width, rows = x.shape[-1], x.numel() // x.shape[-1]
    x = x.contiguous()
    total = x if residual is None else torch.empty_like(x)
    codes, scales = _empty(rows, width, x.device)
    tile, block, warps = _tile(width)
    with torch.cuda.device_of(x):
        rms_norm_rows[(triton.cdiv(rows, tile),)](
            x,
            x if residual is None else residual.contiguous(),
            x if weight is None else weight.contiguous(),
            total,
            codes,
            scales,
            scales if squares is None else squares,
            rows,
            width,
            eps,
            WANTS_SQUARES=squares is not None,
            HAS_RESIDUAL=residual is not None,
            HAS_WEIGHT=weight is not None,
            ROWS=tile,
            BLOCK=block,
            num_warps=warps,
        )
    return (codes, scales) if residual is None else (codes, scales, total)


def activation_fp8(gate: torch.Tensor, up: torch.Tensor | None = None, kept: torch.Tensor | None = None) -> Quantized:
    """relu(gate)², or with `up` silu(gate) up, of [rows, width]; in bf16 too, where `kept` is to hold it, which may be
    `gate`. No gradient: `fp8_glu_linear` has one, and the MLP of fp8_mlp.
    """
    pair = (gate, gate if up is None else up)
    gate_rows, up_rows = (one if one.stride(1) == 1 else one.contiguous() for one in pair)
    rows, width = gate.shape
    codes, scales = _empty(rows, width, gate.device)
    tile, block, warps = _tile(width)
    with torch.cuda.device_of(gate):
        activation_rows[(triton.cdiv(rows, tile),)](
            gate_rows,
            up_rows,
            gate if kept is None else kept,
            codes,
            scales,
            rows,
            width,
            gate_rows.stride(0),
            up_rows.stride(0),
            GATED=up is not None,
            KEEP=kept is not None,
            ROWS=tile,
            BLOCK=block,
            num_warps=warps,
        )
    return codes, scales


def _empty(rows: int, width: int, device: torch.device) -> Quantized:
    codes = torch.empty((rows, width), dtype=torch.float8_e4m3fn, device=device)
    return codes, torch.empty((rows, 1), dtype=torch.float32, device=device)


def _tile(width: int) -> tuple[int, int, int]:
    """Rows of a program, the power of two that holds a row, and warps."""
    block = triton.next_power_of_2(width)
    tile = max(1, 4096 // block)
    return tile, block, min(max(tile * block // 512, 4), 32)


class FP8ProducedLinearFunction(torch.autograd.Function):
    """`quantize` gives codes and scales of the layer's input from `inputs`; `plain` the same rows in bf16, with their
    gradient, for backward.
    """

    @staticmethod
    def forward(ctx, quantize, plain, weight, bias, *inputs):
        ctx.save_for_backward(weight, *inputs)
        ctx.plain = plain
        y = FP8LinearFunction.product(*quantize(*inputs), *fp8_rows(weight), bias)
        return y.view(*inputs[0].shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled():
            raise NotImplementedError(
                "this FP8 layer has no second derivative; create_graph=True needs PyTorch's operations"
            )
        weight, *inputs = ctx.saved_tensors
        needs = ctx.needs_input_grad
        flow = dy.reshape(-1, dy.shape[-1])
        with torch.enable_grad():
            leaves = [one.detach().requires_grad_(need) for one, need in zip(inputs, needs[4:], strict=True)]
            rows = ctx.plain(*leaves)
        dweight = flow.t() @ rows.detach().reshape(-1, rows.shape[-1]) if needs[2] else None
        dbias = flow.sum(0) if needs[3] else None
        wanted = [leaf for leaf in leaves if leaf.requires_grad]
        found = iter(torch.autograd.grad(rows, wanted, (flow @ weight).view(rows.shape)) if wanted else ())
        return None, None, dweight, dbias, *(next(found) if leaf.requires_grad else None for leaf in leaves)


def fp8_norm_linear(
    x: torch.Tensor, gain: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, eps: float
) -> torch.Tensor:
    """linear(rms_norm(x) gain, weight, bias) for what `fp8_linear_fits` takes."""

    def quantize(x: torch.Tensor, gain: torch.Tensor) -> Any:
        return rms_norm_fp8(x, gain, eps)

    def plain(x: torch.Tensor, gain: torch.Tensor) -> Any:
        return fused_rms_norm(x, gain, eps)

    return FP8ProducedLinearFunction.apply(quantize, plain, weight, bias, x, gain)


def fp8_norm_linear_reference(
    x: torch.Tensor, gain: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, eps: float
) -> torch.Tensor:
    """The same in PyTorch, with the rows rounded before they are quantised."""
    return fp8_linear_reference(rms_norm_reference(x, gain, eps), weight, bias)  # type: ignore[arg-type]


def fp8_glu_linear(
    gate: torch.Tensor, up: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """linear(silu(gate) up, weight, bias) for what `fp8_linear_fits` takes."""

    def quantize(gate: torch.Tensor, up: torch.Tensor) -> Quantized:
        return activation_fp8(gate.reshape(-1, gate.shape[-1]), up.reshape(-1, up.shape[-1]))

    def plain(gate: torch.Tensor, up: torch.Tensor) -> torch.Tensor:
        return fused_glu(gate, up, "silu")

    return FP8ProducedLinearFunction.apply(quantize, plain, weight, bias, gate, up)


def fp8_glu_linear_reference(
    gate: torch.Tensor, up: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """The same in PyTorch, with the rows rounded before they are quantised."""
    return fp8_linear_reference(torch.nn.functional.silu(gate) * up, weight, bias)
