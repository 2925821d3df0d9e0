"""RMSNorm over the last dimension, with a gain and a residual sum, forward and backward.

    total = x + residual                                 (x, where there is no residual)
    y = total / sqrt(mean(total²) + eps) * weight        (without the gain, where there is none)

Statistics are in fp32; `total` is rounded to x's dtype before it is normalised, as eager code does. Backward is one
pass: a program goes through every n-th row, writes the gradient of its rows, and sums those of the gain in registers.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def rms_norm_reference(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    eps: float,
    dtype: torch.dtype | None = None,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as models spell it out."""
    total = x if residual is None else x + residual
    wide = total.float()
    y = (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + eps)).to(dtype or x.dtype)
    y = y if weight is None else (y * weight).to(dtype or torch.promote_types(x.dtype, weight.dtype))
    return y if residual is None else (y, total)


def rms_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    eps: float,
    dtype: torch.dtype | None = None,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    """y, and with a residual (y, total). `x` and `residual`: [..., width]; `weight`: [width]; y is of `dtype`, or of
    the dtype that x * weight has. What `rms_norm_fits` refuses is computed by the reference.
    """
    if rms_norm_fits(x, weight) and (residual is None or (residual.shape, residual.dtype) == (x.shape, x.dtype)):
        return fused_rms_norm(x, weight, eps, dtype, residual)
    return rms_norm_reference(x, weight, eps, dtype, residual)


@triton.jit
def rms_norm_forward(
    x,
    residual,
    weight,
    y,
    total,
    inverse,
    rows,
    width,
    eps,
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
    scale = tl.rsqrt(tl.sum(value * value, axis=1, keep_dims=True) / width + eps)
    tl.store(inverse + row, scale, mask=row < rows)
    value = value * scale
    if HAS_WEIGHT:
        value *= tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)


@triton.jit
def rms_norm_backward(
    dy,
    dtotal,
    x,
    weight,
    inverse,
    dx,
    partial,
    rows,
    width,
    HAS_RESIDUAL: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    SUM_GAIN: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    column = tl.arange(0, BLOCK)[None, :]
    within = column < width
    if HAS_WEIGHT:
        gain = tl.load(weight + column, mask=within, other=0.0).to(tl.float32)
    gathered = tl.zeros((ROWS, BLOCK), tl.float32)
    for group in range(tl.program_id(0), tl.cdiv(rows, ROWS), tl.num_programs(0)):
        row = group * ROWS + tl.arange(0, ROWS)[:, None]
        at = row.to(tl.int64) * width + column
        inside = (row < rows) & within
        scale = tl.load(inverse + row, mask=row < rows, other=0.0)
        unit = tl.load(x + at, mask=inside, other=0.0).to(tl.float32) * scale
        flow = tl.load(dy + at, mask=inside, other=0.0).to(tl.float32)
        if SUM_GAIN:
            gathered += flow * unit
        if HAS_WEIGHT:
            flow *= gain
        value = (flow - unit * (tl.sum(flow * unit, axis=1, keep_dims=True) / width)) * scale
        if HAS_RESIDUAL:
            value += tl.load(dtotal + at, mask=inside, other=0.0).to(tl.float32)
        tl.store(dx + at, value.to(dx.dtype.element_ty), mask=inside)
    if SUM_GAIN:
        place = tl.program_id(0) * width + tl.arange(0, BLOCK)
        tl.store(partial + place, tl.sum(gathered, axis=0), mask=tl.arange(0, BLOCK) < width)


class RMSNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, eps, dtype, residual):
        width = x.shape[-1]
        x, rows = x.contiguous(), x.numel() // width
        total = x if residual is None else torch.empty_like(x)
        dtype = dtype or torch.promote_types(x.dtype, x.dtype if weight is None else weight.dtype)
        y = torch.empty(x.shape, dtype=dtype, device=x.device)
        inverse = torch.empty(rows, dtype=torch.float32, device=x.device)
        block = triton.next_power_of_2(width)
        tile = max(1, 2048 // block)
        with torch.cuda.device(x.get_device()):
            rms_norm_forward[(triton.cdiv(rows, tile),)](
                x,
                x if residual is None else residual.contiguous(),
                x if weight is None else weight.contiguous(),
                y,
                total,
                inverse,
                rows,
                width,
                eps,
                HAS_RESIDUAL=residual is not None,
                HAS_WEIGHT=weight is not None,
                ROWS=tile,
                BLOCK=block,
                num_warps=min(max(tile * block // 512, 4), 32),
            )
        ctx.has_residual = residual is not None
        ctx.save_for_backward(total, weight, inverse)
        return y if residual is None else (y, total)

    @staticmethod
    def backward(ctx, dy, dtotal=None):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this RMSNorm has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, weight, inverse = ctx.saved_tensors
        dtotal = dtotal if ctx.has_residual else None
        dx, dweight = RMSNormFunction.grads(x, weight, inverse, dy, dtotal, ctx.needs_input_grad[1])
        return dx, dweight, None, None, dx if ctx.has_residual else None

    @staticmethod
    def grads(x, weight, inverse, dy, dtotal, wants_gain):
        width, rows = x.shape[-1], inverse.numel()
        block = triton.next_power_of_2(width)
        tile = max(1, 2048 // block)
        warps = min(max(tile * block // 512, 4), 32)
        processors = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 2
        programs = min(triton.cdiv(rows, tile), processors * max(1, 16 // warps))
        dx = torch.empty_like(x)
        partial = torch.empty((programs if wants_gain else 0, width), dtype=torch.float32, device=x.device)
        with torch.cuda.device(x.get_device()):
            rms_norm_backward[(programs,)](
                dy.contiguous(),
                dy if dtotal is None else dtotal.contiguous(),
                x,
                x if weight is None else weight.contiguous(),
                inverse,
                dx,
                partial,
                rows,
                width,
                HAS_RESIDUAL=dtotal is not None,
                HAS_WEIGHT=weight is not None,
                SUM_GAIN=wants_gain,
                ROWS=tile,
                BLOCK=block,
                num_warps=warps,
            )
        return dx, partial.sum(0).to(weight.dtype) if wants_gain else None


def rms_norm_fits(x: torch.Tensor, weight: torch.Tensor | None) -> bool:
    """Whether the kernel takes them: on a GPU, fp32, fp16 or bf16, not empty, rows of at most 32,768."""
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    return (
        x.is_cuda
        and x.dtype in kinds
        and x.numel() > 0
        and x.dim() > 0
        and x.shape[-1] <= 32768
        and (weight is None or (weight.dtype in kinds and weight.shape == x.shape[-1:] and weight.device == x.device))
        and (x.dtype is torch.float32 or not torch.is_autocast_enabled("cuda"))
    )


def fused_rms_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    eps: float,
    dtype: torch.dtype | None = None,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    return RMSNormFunction.apply(x, weight, eps, dtype, residual)
