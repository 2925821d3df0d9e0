"""LayerNorm over the last dimension, with gain, bias and a residual sum, forward and backward.

    total = x + residual                                                  (x, where there is no residual)
    y = (total - mean(total)) / sqrt(var(total) + eps) * weight + bias    (each where given)

Statistics are in fp32, the variance from the centred row; `total` is rounded to x's dtype before it is normalised.
Backward is one pass, as in rms_norm.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def layer_norm_reference(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    eps: float,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as models spell it out."""
    total = x if residual is None else x + residual
    y = torch.nn.functional.layer_norm(total, x.shape[-1:], weight, bias, eps)
    return y if residual is None else (y, total)


def layer_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    eps: float,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    """y, and with a residual (y, total). `x` and `residual`: [..., width]; `weight`, `bias`: [width]. What
    `layer_norm_fits` refuses is computed by the reference.
    """
    if layer_norm_fits(x, weight, bias) and (
        residual is None or (residual.shape, residual.dtype) == (x.shape, x.dtype)
    ):
        return fused_layer_norm(x, weight, bias, eps, residual)
    return layer_norm_reference(x, weight, bias, eps, residual)


@triton.jit
def layer_norm_forward(
    x,
    residual,
    weight,
    bias,
    y,
    total,
    means,
    inverse,
    rows,
    width,
    eps,
    HAS_RESIDUAL: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    HAS_BIAS: tl.constexpr,
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
    mean = tl.sum(value, axis=1, keep_dims=True) / width
    value = tl.where(inside, value - mean, 0.0)
    scale = tl.rsqrt(tl.sum(value * value, axis=1, keep_dims=True) / width + eps)
    tl.store(means + row, mean, mask=row < rows)
    tl.store(inverse + row, scale, mask=row < rows)
    value = value * scale
    if HAS_WEIGHT:
        value *= tl.load(weight + column, mask=column < width, other=0.0).to(tl.float32)
    if HAS_BIAS:
        value += tl.load(bias + column, mask=column < width, other=0.0).to(tl.float32)
    tl.store(y + at, value.to(y.dtype.element_ty), mask=inside)


@triton.jit
def layer_norm_backward(
    dy,
    dtotal,
    x,
    weight,
    means,
    inverse,
    dx,
    partial_weight,
    partial_bias,
    rows,
    width,
    HAS_RESIDUAL: tl.constexpr,
    HAS_WEIGHT: tl.constexpr,
    SUM_WEIGHT: tl.constexpr,
    SUM_BIAS: tl.constexpr,
    ROWS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    column = tl.arange(0, BLOCK)[None, :]
    within = column < width
    if HAS_WEIGHT:
        gain = tl.load(weight + column, mask=within, other=0.0).to(tl.float32)
    weights = tl.zeros((ROWS, BLOCK), tl.float32)
    biases = tl.zeros((ROWS, BLOCK), tl.float32)
    for group in range(tl.program_id(0), tl.cdiv(rows, ROWS), tl.num_programs(0)):
        row = group * ROWS + tl.arange(0, ROWS)[:, None]
        at = row.to(tl.int64) * width + column
        inside = (row < rows) & within
        mean = tl.load(means + row, mask=row < rows, other=0.0)
        scale = tl.load(inverse + row, mask=row < rows, other=0.0)
        unit = (tl.load(x + at, mask=inside, other=0.0).to(tl.float32) - mean) * scale
        flow = tl.load(dy + at, mask=inside, other=0.0).to(tl.float32)
        if SUM_WEIGHT:
            weights += tl.where(inside, flow * unit, 0.0)
        if SUM_BIAS:
            biases += flow
        if HAS_WEIGHT:
            flow *= gain
        along = tl.sum(tl.where(inside, flow * unit, 0.0), axis=1, keep_dims=True) / width
        value = (flow - unit * along - tl.sum(flow, axis=1, keep_dims=True) / width) * scale
        if HAS_RESIDUAL:
            value += tl.load(dtotal + at, mask=inside, other=0.0).to(tl.float32)
        tl.store(dx + at, value.to(dx.dtype.element_ty), mask=inside)
    place = tl.program_id(0) * width + tl.arange(0, BLOCK)
    if SUM_WEIGHT:
        tl.store(partial_weight + place, tl.sum(weights, axis=0), mask=tl.arange(0, BLOCK) < width)
    if SUM_BIAS:
        tl.store(partial_bias + place, tl.sum(biases, axis=0), mask=tl.arange(0, BLOCK) < width)


class LayerNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, eps, residual):
        width = x.shape[-1]
        x, rows = x.contiguous(), x.numel() // width
        total = x if residual is None else torch.empty_like(x)
        y = torch.empty_like(x)
        means, inverse = (torch.empty(rows, dtype=torch.float32, device=x.device) for _ in range(2))
        block = triton.next_power_of_2(width)
        tile = max(1, 2048 // block)
        with torch.cuda.device(x.get_device()):
            layer_norm_forward[(triton.cdiv(rows, tile),)](
                x,
                x if residual is None else residual.contiguous(),
                x if weight is None else weight.contiguous(),
                x if bias is None else bias.contiguous(),
                y,
                total,
                means,
                inverse,
                rows,
                width,
                eps,
                HAS_RESIDUAL=residual is not None,
                HAS_WEIGHT=weight is not None,
                HAS_BIAS=bias is not None,
                ROWS=tile,
                BLOCK=block,
                num_warps=min(max(tile * block // 512, 4), 32),
            )
        ctx.has_residual = residual is not None
        ctx.save_for_backward(total, weight, means, inverse)
        return y if residual is None else (y, total)

    @staticmethod
    def backward(ctx, dy, dtotal=None):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this LayerNorm has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, weight, means, inverse = ctx.saved_tensors
        width, rows = x.shape[-1], inverse.numel()
        block = triton.next_power_of_2(width)
        tile = max(1, 2048 // block)
        warps = min(max(tile * block // 512, 4), 32)
        processors = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 2
        programs = min(triton.cdiv(rows, tile), processors * max(1, 16 // warps))
        dx = torch.empty_like(x)
        wanted = ctx.needs_input_grad[1:3]
        partial = [torch.empty((programs if one else 0, width), dtype=torch.float32, device=x.device) for one in wanted]
        with torch.cuda.device(x.get_device()):
            layer_norm_backward[(programs,)](
                dy.contiguous(),
                dtotal.contiguous() if ctx.has_residual else dy,
                x,
                x if weight is None else weight.contiguous(),
                means,
                inverse,
                dx,
                *partial,
                rows,
                width,
                HAS_RESIDUAL=ctx.has_residual,
                HAS_WEIGHT=weight is not None,
                SUM_WEIGHT=wanted[0],
                SUM_BIAS=wanted[1],
                ROWS=tile,
                BLOCK=block,
                num_warps=warps,
            )
        sums = [part.sum(0).to(x.dtype) if one else None for part, one in zip(partial, wanted, strict=True)]
        return dx, *sums, None, dx if ctx.has_residual else None


def layer_norm_fits(x: torch.Tensor, weight: torch.Tensor | None, bias: torch.Tensor | None) -> bool:
    """Whether the kernel takes them: on one GPU, all of one dtype of fp32, fp16 or bf16, not empty, rows of at most
    32,768.
    """
    return (
        x.is_cuda
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and x.numel() > 0
        and x.dim() > 0
        and x.shape[-1] <= 32768
        and all(
            one is None or (one.shape == x.shape[-1:] and one.dtype == x.dtype and one.device == x.device)
            for one in (weight, bias)
        )
        and (x.dtype is torch.float32 or not torch.is_autocast_enabled("cuda"))
    )


def fused_layer_norm(
    x: torch.Tensor,
    weight: torch.Tensor | None,
    bias: torch.Tensor | None,
    eps: float,
    residual: torch.Tensor | None = None,
) -> torch.Tensor | tuple[torch.Tensor, torch.Tensor]:
    return LayerNormFunction.apply(x, weight, bias, eps, residual)
