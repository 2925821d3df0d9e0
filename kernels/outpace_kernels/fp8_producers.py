"""What comes before a linear layer, with its result in e4m3 and a scale a row: no pass of its own for quantising.

    rms_norm_fp8        RMSNorm, with gain, with the residual's sum before it
    activation_fp8      relu(pre)², or silu(gate) up

Each is one pass: a program holds whole rows, so that their largest number is known before they are written. The numbers
are quantised as they are in fp32; a rounding to bf16 before that, as separate kernels do it, is left out. For the
backward pass of the layers after them, which is in bf16, the same pass writes the rows in bf16 too, where a gradient is
wanted: to make them again in backward took 2 to 6% more time.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from outpace_kernels.fp8_linear import FP8LinearFunction, fp8_linear_reference, fp8_rows
from outpace_kernels.glu import GLUFunction, glu_activation, glu_backward
from outpace_kernels.rms_norm import RMSNormFunction, rms_norm_reference

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
    kept,
    inverse,
    rows,
    width,
    eps,
    WANTS_SQUARES: tl.constexpr,
    KEEP: tl.constexpr,
    HAS_RESIDUAL: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    eps = tl.cast(eps, tl.float32)
    row = tl.program_id(0) * ROWS + tl.arange(0, ROWS)[:, None]
    column = tl.arange(0, BLOCK)[None, :]
    at = row.to(tl.int64) * width + column
    inside = (row < rows) & (column < width)
    value = tl.load(x + at, mask=inside, other=0.0)
    if HAS_RESIDUAL:
        value = (value.to(tl.float32) + tl.load(residual + at, mask=inside, other=0.0).to(tl.float32)).to(value.dtype)
        tl.store(total + at, value, mask=inside)
    value = value.to(tl.float32)
    unit = tl.rsqrt(tl.sum(value * value, axis=1, keep_dims=True) / width + eps)
    value *= unit
    if HAS_WEIGHT:
        value *= tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    if KEEP:
        tl.store(kept + at, value.to(kept.dtype.element_ty), mask=inside)
        tl.store(inverse + row, unit, mask=row < rows)
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
    kept: tuple[torch.Tensor, torch.Tensor] | None = None,
) -> Quantized | tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Codes and scales, and with a residual also x + residual. `squares`, [rows] in fp32, gets each row's sum of
    squares; `kept` what backward needs, [rows, width] in x's dtype and [rows] in fp32: the rows as they are without
    FP8, and by what each was multiplied. No gradient: `fp8_norm_linear` has one.
    """
    width, rows = x.shape[-1], x.numel() // x.shape[-1]
    x = x.contiguous()
    total = x if residual is None else torch.empty_like(x)
    codes, scales = _empty(rows, width, x.device)
    plain, inverse = (x, scales) if kept is None else kept
    tile, block, warps = _tile(width)
    with torch.cuda.device(x.get_device()):
        rms_norm_rows[(triton.cdiv(rows, tile),)](
            x,
            x if residual is None else residual.contiguous(),
            x if weight is None else weight.contiguous(),
            total,
            codes,
            scales,
            scales if squares is None else squares,
            plain,
            inverse,
            rows,
            width,
            eps,
            WANTS_SQUARES=squares is not None,
            KEEP=kept is not None,
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
    with torch.cuda.device(gate.get_device()):
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


def _layer(quantized: Any, weight: torch.Tensor, bias: torch.Tensor | None, like: torch.Tensor) -> Any:
    y = FP8LinearFunction.product(*quantized, *fp8_rows(weight), bias)
    return y.view(*like.shape[:-1], weight.shape[0])


def _layer_grads(ctx: Any, dy: torch.Tensor, rows: torch.Tensor, weight: torch.Tensor) -> Any:
    """Of the weight, of the bias, and of the layer's input where something before it needs one: [rows, width]."""
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        raise NotImplementedError(
            "this FP8 layer has no second derivative; create_graph=True needs PyTorch's operations"
        )
    flow, needs = dy.reshape(-1, dy.shape[-1]), ctx.needs_input_grad
    dweight = flow.t() @ rows if needs[2] else None
    return dweight, flow.sum(0) if needs[3] else None, flow @ weight if any(needs[:2]) else None


class FP8NormLinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, weight, bias, eps):
        rows = x.reshape(-1, x.shape[-1]).contiguous()
        kept = norm_kept(rows) if any(ctx.needs_input_grad) else None
        ctx.save_for_backward(rows, gain, weight, *(kept or ()))
        return _layer(rms_norm_fp8(rows, gain, eps, kept=kept), weight, bias, x)

    @staticmethod
    def backward(ctx, dy):
        x, gain, weight, rows, inverse = ctx.saved_tensors
        dweight, dbias, flow = _layer_grads(ctx, dy, rows, weight)
        dx, dgain = (None, None) if flow is None else norm_grads(flow, x, gain, inverse, ctx.needs_input_grad[1])
        return None if dx is None else dx.view(*dy.shape[:-1], x.shape[1]), dgain, dweight, dbias, None


def norm_kept(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Room for what `rms_norm_fp8` keeps for backward."""
    return torch.empty_like(x), torch.empty(x.shape[0], dtype=torch.float32, device=x.device)


def norm_grads(
    flow: torch.Tensor, x: torch.Tensor, gain: torch.Tensor | None, inverse: torch.Tensor, wants_gain: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Gradients of rms_norm(x) gain to both, x: [rows, width]."""
    return RMSNormFunction.grads(x, gain, inverse, flow, None, wants_gain)


class FP8GLULinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, up, weight, bias):
        pair = [one.reshape(-1, one.shape[-1]) for one in (gate, up)]
        keep = any(ctx.needs_input_grad)
        kept = torch.empty(pair[0].shape, dtype=gate.dtype, device=gate.device) if keep else None
        ctx.save_for_backward(*pair, weight, kept)
        return _layer(activation_fp8(*pair, kept=kept), weight, bias, gate)

    @staticmethod
    def backward(ctx, dy):
        gate, up, weight, rows = ctx.saved_tensors
        dweight, dbias, flow = _layer_grads(ctx, dy, rows, weight)
        if flow is None:
            return None, None, dweight, dbias
        dgate, dup = (torch.empty(gate.shape, dtype=gate.dtype, device=gate.device) for _ in range(2))
        GLUFunction.launch(glu_backward, gate, up, (flow.contiguous(),), (dgate, dup), "silu")
        shape = (*dy.shape[:-1], gate.shape[1])
        return dgate.view(shape), dup.view(shape), dweight, dbias


def fp8_norm_linear(
    x: torch.Tensor, gain: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, eps: float
) -> torch.Tensor:
    """linear(rms_norm(x) gain, weight, bias) for what `fp8_linear_fits` takes."""
    return FP8NormLinearFunction.apply(x, gain, weight, bias, eps)


def fp8_norm_linear_reference(
    x: torch.Tensor, gain: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, eps: float
) -> torch.Tensor:
    """The same in PyTorch, with the rows rounded before they are quantised."""
    return fp8_linear_reference(rms_norm_reference(x, gain, eps), weight, bias)  # type: ignore[arg-type]


def fp8_glu_linear(
    gate: torch.Tensor, up: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """linear(silu(gate) up, weight, bias) for what `fp8_linear_fits` takes."""
    return FP8GLULinearFunction.apply(gate, up, weight, bias)


def fp8_glu_linear_reference(
    gate: torch.Tensor, up: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """The same in PyTorch, with the rows rounded before they are quantised."""
    return fp8_linear_reference(torch.nn.functional.silu(gate) * up, weight, bias)
