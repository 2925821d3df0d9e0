"""Softmax over the last dimension, of scores or of soft-capped scores, forward and backward.

    z = cap * tanh(x / cap)    (x, without a cap)        y = exp(z - lse), lse = log Σ exp(z)
    dx = y * (dy - Σ y * dy) * (1 - (z / cap)²)

Rows of up to 16,384 stay in registers; longer ones are read twice. Backward computes y again from x and lse.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def softmax_reference(x: torch.Tensor, softcap: float = 0.0) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    z = softcap * torch.tanh(x / softcap) if softcap else x
    return torch.softmax(z, dim=-1)


def softmax(x: torch.Tensor, softcap: float = 0.0) -> torch.Tensor:
    """Of x's dtype. What `softmax_fits` refuses is computed by the reference."""
    return fused_softmax(x, softcap) if softmax_fits(x) else softmax_reference(x, softcap)


@triton.jit
def softmax_scores(at, mask, softcap, SOFTCAP: tl.constexpr):
    """Scores in fp32, capped; -inf beyond the row."""
    value = tl.load(at, mask=mask, other=-float("inf")).to(tl.float32)
    if SOFTCAP:
        part = value / softcap
        square = part * part
        # Near zero, where the other form cancels, tanh by its series.
        series = part * (
            1 + square * (-0.33333333 + square * (0.13333333 + square * (-0.053968254 + square * 0.02186949)))
        )
        value = softcap * tl.where(square < 0.0625, series, 2 / (1 + tl.exp(-2 * part)) - 1)
        value = tl.where(mask, value, -float("inf"))
    return value


@triton.jit
def softmax_forward(x, y, lse, width, softcap, SOFTCAP: tl.constexpr, WHOLE: tl.constexpr, BLOCK: tl.constexpr):
    softcap = tl.cast(softcap, tl.float32)
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    at = x + row * width + column
    value = softmax_scores(at, column < width, softcap, SOFTCAP)
    top = tl.max(value, axis=0)
    shift = tl.where(top == -float("inf"), 0.0, top)
    shares = tl.exp(value - shift)
    if not WHOLE:
        for start in range(BLOCK, width, BLOCK):
            more = softmax_scores(at + start, start + column < width, softcap, SOFTCAP)
            higher = tl.maximum(top, tl.max(more, axis=0))
            shift = tl.where(higher == -float("inf"), 0.0, higher)
            shares = shares * tl.exp(top - shift) + tl.exp(more - shift)
            top = higher
    total = tl.sum(shares, axis=0)
    tl.store(lse + row, top + tl.log(total))
    if WHOLE:
        tl.store(y + row * width + column, (shares / total).to(y.dtype.element_ty), mask=column < width)
    else:
        for start in range(0, width, BLOCK):
            inside = start + column < width
            more = tl.exp(softmax_scores(at + start, inside, softcap, SOFTCAP) - shift) / total
            tl.store(y + row * width + start + column, more.to(y.dtype.element_ty), mask=inside)


@triton.jit
def softmax_backward(dy, x, lse, dx, width, softcap, SOFTCAP: tl.constexpr, WHOLE: tl.constexpr, BLOCK: tl.constexpr):
    softcap = tl.cast(softcap, tl.float32)
    row = tl.program_id(0).to(tl.int64)
    column = tl.arange(0, BLOCK)
    start_of_row = row * width
    known = tl.load(lse + row)
    value = softmax_scores(x + start_of_row + column, column < width, softcap, SOFTCAP)
    share = tl.exp(value - known)
    flow = tl.load(dy + start_of_row + column, mask=column < width, other=0.0).to(tl.float32)
    along = tl.sum(share * flow, axis=0)
    if not WHOLE:
        for start in range(BLOCK, width, BLOCK):
            at, inside = start_of_row + start + column, start + column < width
            more = tl.exp(softmax_scores(x + at, inside, softcap, SOFTCAP) - known)
            along += tl.sum(more * tl.load(dy + at, mask=inside, other=0.0).to(tl.float32), axis=0)
    grad = share * (flow - along)
    if SOFTCAP:
        grad *= 1 - (value / softcap) * (value / softcap)
    tl.store(dx + start_of_row + column, grad.to(dx.dtype.element_ty), mask=column < width)
    if not WHOLE:
        for start in range(BLOCK, width, BLOCK):
            at, inside = start_of_row + start + column, start + column < width
            value = softmax_scores(x + at, inside, softcap, SOFTCAP)
            flow = tl.load(dy + at, mask=inside, other=0.0).to(tl.float32)
            grad = tl.exp(value - known) * (flow - along)
            if SOFTCAP:
                grad *= 1 - (value / softcap) * (value / softcap)
            tl.store(dx + at, grad.to(dx.dtype.element_ty), mask=inside)


class SoftmaxFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, softcap):
        x, width = x.contiguous(), x.shape[-1]
        rows = x.numel() // width
        y, lse = torch.empty_like(x), torch.empty(rows, dtype=torch.float32, device=x.device)
        block = min(triton.next_power_of_2(width), 16384)
        with torch.cuda.device(x.get_device()):
            softmax_forward[(rows,)](
                x,
                y,
                lse,
                width,
                softcap,
                SOFTCAP=softcap != 0,
                WHOLE=width <= block,
                BLOCK=block,
                num_warps=min(max(block // 512, 1), 16),
            )
        ctx.softcap = softcap
        ctx.save_for_backward(x, lse)
        return y

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this softmax has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, lse = ctx.saved_tensors
        dx, width = torch.empty_like(x), x.shape[-1]
        block = min(triton.next_power_of_2(width), 16384)
        with torch.cuda.device(x.get_device()):
            softmax_backward[(lse.numel(),)](
                dy.contiguous(),
                x,
                lse,
                dx,
                width,
                ctx.softcap,
                SOFTCAP=ctx.softcap != 0,
                WHOLE=width <= block,
                BLOCK=block,
                num_warps=min(max(block // 512, 1), 16),
            )
        return dx, None


def softmax_fits(x: torch.Tensor) -> bool:
    """Whether the kernel takes it: on a GPU, fp32, fp16 or bf16, not empty."""
    return (
        x.is_cuda
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and x.numel() > 0
        and x.dim() > 0
        and (x.dtype is torch.float32 or not torch.is_autocast_enabled("cuda"))
    )


def fused_softmax(x: torch.Tensor, softcap: float = 0.0) -> torch.Tensor:
    return SoftmaxFunction.apply(x, softcap)
