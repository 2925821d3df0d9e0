"""The last linear layer and its cross entropy, without the whole matrix of logits.

    logits = x wᵀ, soft-capped where there is a cap        loss = mean or sum over rows of lse_i - logits_i,target

A block of rows at a time: product, then one kernel that takes the loss and writes the logits' gradient over the logits,
then the products for dx and dw. Backward only scales them. Memory for logits: 2²⁸ elements, however many rows.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def linear_cross_entropy_reference(
    x: torch.Tensor,
    weight: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    logits = torch.nn.functional.linear(x, weight)
    logits = logits if logits.dtype is torch.float64 else logits.float()
    logits = softcap * torch.tanh(logits / softcap) if softcap else logits
    return torch.nn.functional.cross_entropy(logits, target, ignore_index=ignore_index, reduction=reduction)


def linear_cross_entropy(
    x: torch.Tensor,
    weight: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
) -> torch.Tensor:
    """In fp32. `x`: [rows, width]; `weight`: [classes, width]; `target`: [rows], int64; `reduction`: mean or sum. What
    `linear_cross_entropy_fits` refuses is computed by the reference. A target that is no class gives NaN.
    """
    if reduction not in ("mean", "sum"):
        raise ValueError(f"linear_cross_entropy: reduction {reduction!r} is neither mean nor sum")
    if linear_cross_entropy_fits(x, weight, target):
        return fused_linear_cross_entropy(x, weight, target, ignore_index, reduction, softcap)
    return linear_cross_entropy_reference(x, weight, target, ignore_index, reduction, softcap)


@triton.jit
def linear_cross_entropy_logits(at, mask, softcap, SOFTCAP: tl.constexpr):
    """Logits in fp32, capped; -inf beyond the row."""
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
def linear_cross_entropy_rows(
    logits,
    target,
    loss,
    counted,
    classes,
    ignore_index,
    softcap,
    SOFTCAP: tl.constexpr,
    WANTS_GRAD: tl.constexpr,
    BLOCK: tl.constexpr,
):
    softcap = tl.cast(softcap, tl.float32)
    row = tl.program_id(0).to(tl.int64)
    label = tl.load(target + row)
    at = logits + row * classes
    column = tl.arange(0, BLOCK)
    top = -float("inf")
    shares = tl.zeros((BLOCK,), tl.float32)
    for start in range(0, classes, BLOCK):
        value = linear_cross_entropy_logits(at + start + column, start + column < classes, softcap, SOFTCAP)
        higher = tl.maximum(top, tl.max(value, axis=0))
        shift = tl.where(higher == -float("inf"), 0.0, higher)
        shares = shares * tl.exp(top - shift) + tl.exp(value - shift)
        top = higher
    total = top + tl.log(tl.sum(shares, axis=0))
    known = (label >= 0) & (label < classes)
    own = linear_cross_entropy_logits(at + label, known, softcap, SOFTCAP)
    tl.store(loss + row, tl.where(label == ignore_index, 0.0, tl.where(known, total - own, float("nan"))))
    if WANTS_GRAD:
        scale = 1 / tl.load(counted)
        tl.debug_barrier()
        for start in range(0, classes, BLOCK):
            inside = start + column < classes
            value = linear_cross_entropy_logits(at + start + column, inside, softcap, SOFTCAP)
            grad = tl.exp(value - total)
            grad = tl.where(start + column == label, grad - 1.0, grad) * scale
            if SOFTCAP:
                grad *= 1 - (value / softcap) * (value / softcap)
            grad = tl.where(label == ignore_index, 0.0, grad)
            tl.store(at + start + column, grad.to(logits.dtype.element_ty), mask=inside)


class LinearCrossEntropyFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, target, ignore_index, reduction, softcap):
        rows, classes = x.shape[0], weight.shape[0]
        x, target = x.contiguous(), target.contiguous()
        loss = torch.empty(rows, dtype=torch.float32, device=x.device)
        counted = torch.ones((), dtype=torch.float32, device=x.device)
        if reduction == "mean":
            counted = (target != ignore_index).sum(dtype=torch.float32)
        wants_x, wants_weight = ctx.needs_input_grad[:2]
        dx = torch.empty_like(x) if wants_x else None
        dweight = None
        parts = triton.cdiv(rows * classes, 2**28)
        size = triton.cdiv(rows, parts)
        block = min(triton.next_power_of_2(classes), 8192)
        for start in range(0, rows, size):
            some, labels = x[start : start + size], target[start : start + size]
            logits = some @ weight.t()
            with torch.cuda.device(x.get_device()):
                linear_cross_entropy_rows[(some.shape[0],)](
                    logits,
                    labels,
                    loss[start : start + size],
                    counted,
                    classes,
                    ignore_index,
                    softcap,
                    SOFTCAP=softcap != 0,
                    WANTS_GRAD=wants_x or wants_weight,
                    BLOCK=block,
                    num_warps=min(max(block // 512, 4), 16),
                )
            if wants_x:
                torch.mm(logits, weight, out=dx[start : start + size])
            if wants_weight:
                part = logits.t() @ some
                if dweight is None:
                    dweight = part if size == rows else part.float()
                else:
                    dweight += part
        ctx.save_for_backward(dx, dweight if dweight is None else dweight.to(weight.dtype))
        return loss.sum() / counted

    @staticmethod
    def backward(ctx, flow):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this cross entropy has no second derivative; create_graph=True needs PyTorch's operations"
            )
        dx, dweight = (None if grad is None else grad * flow for grad in ctx.saved_tensors)
        return dx, dweight, None, None, None, None


def linear_cross_entropy_fits(x: torch.Tensor, weight: torch.Tensor, target: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, two matrices of one dtype of fp32, fp16 or bf16, int64 targets, not
    empty.
    """
    return (
        x.is_cuda
        and x.device == weight.device == target.device
        and x.dim() == weight.dim() == 2
        and x.shape[1] == weight.shape[1]
        and x.numel() > 0
        and weight.numel() > 0
        and x.dtype == weight.dtype
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and target.dtype is torch.int64
        and target.shape == x.shape[:1]
        and not torch.is_autocast_enabled("cuda")
    )


def fused_linear_cross_entropy(
    x: torch.Tensor,
    weight: torch.Tensor,
    target: torch.Tensor,
    ignore_index: int = -100,
    reduction: str = "mean",
    softcap: float = 0.0,
) -> torch.Tensor:
    return LinearCrossEntropyFunction.apply(x, weight, target, ignore_index, reduction, softcap)
