"""Rotary position embedding of queries and keys in one launch, forward and backward; pairs are (i, i + half).

    out[i] = x[i] cos[i] - x[i + half] sin[i]        out[i + half] = x[i + half] cos[i + half] + x[i] sin[i + half]

Backward is the transpose. A program loads the cosines and sines of one position once and turns all heads by them.
Queries and keys are read and written at their own strides, so heads that were transposed into place stay so.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def rope_reference(
    q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as models spell it out."""

    def turned(x: torch.Tensor) -> torch.Tensor:
        half = x.shape[-1] // 2
        return torch.cat((-x[..., half:], x[..., :half]), dim=-1)

    cos, sin = (one.unsqueeze(-3) for one in (cos, sin))
    return q * cos + turned(q) * sin, k * cos + turned(k) * sin


def rope(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """`q`: [batch, heads, length, width]; `k`: the same with its own heads; `cos`, `sin`: [length, width] or [batch,
    length, width]. What `rope_fits` refuses is computed by the reference.
    """
    return fused_rope(q, k, cos, sin) if rope_fits(q, k, cos, sin) else rope_reference(q, k, cos, sin)


@triton.jit
def rope_turn(
    x,
    out,
    cos,
    cos_2,
    sin,
    sin_2,
    heads,
    x_head,
    out_head,
    half,
    BACKWARD: tl.constexpr,
    HEADS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    column = tl.arange(0, BLOCK)[None, :]
    for start in range(0, heads, HEADS):
        head = start + tl.arange(0, HEADS)[:, None]
        inside = (head < heads) & (column < half)
        at = x + head.to(tl.int64) * x_head + column
        one = tl.load(at, mask=inside, other=0.0).to(tl.float32)
        two = tl.load(at + half, mask=inside, other=0.0).to(tl.float32)
        if BACKWARD:
            first = one * cos + two * sin_2
            second = two * cos_2 - one * sin
        else:
            first = one * cos - two * sin
            second = two * cos_2 + one * sin_2
        to = out + head.to(tl.int64) * out_head + column
        tl.store(to, first.to(out.dtype.element_ty), mask=inside)
        tl.store(to + half, second.to(out.dtype.element_ty), mask=inside)


@triton.jit
def rope_kernel(
    q,
    k,
    q_out,
    k_out,
    cos,
    sin,
    length,
    half,
    q_heads,
    k_heads,
    q_batch,
    q_head,
    q_place,
    k_batch,
    k_head,
    k_place,
    q_out_batch,
    q_out_head,
    q_out_place,
    k_out_batch,
    k_out_head,
    k_out_place,
    table_batch,
    BACKWARD: tl.constexpr,
    HEADS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    batch = (tl.program_id(0) // length).to(tl.int64)
    place = (tl.program_id(0) % length).to(tl.int64)
    column = tl.arange(0, BLOCK)[None, :]
    inside = column < half
    at = batch * table_batch + place * 2 * half + column
    c = tl.load(cos + at, mask=inside, other=0.0).to(tl.float32)
    c_2 = tl.load(cos + at + half, mask=inside, other=0.0).to(tl.float32)
    s = tl.load(sin + at, mask=inside, other=0.0).to(tl.float32)
    s_2 = tl.load(sin + at + half, mask=inside, other=0.0).to(tl.float32)
    q += batch * q_batch + place * q_place
    k += batch * k_batch + place * k_place
    q_out += batch * q_out_batch + place * q_out_place
    k_out += batch * k_out_batch + place * k_out_place
    rope_turn(q, q_out, c, c_2, s, s_2, q_heads, q_head, q_out_head, half, BACKWARD, HEADS, BLOCK)
    rope_turn(k, k_out, c, c_2, s, s_2, k_heads, k_head, k_out_head, half, BACKWARD, HEADS, BLOCK)


class RoPEFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, cos, sin):
        cos, sin = cos.contiguous(), sin.contiguous()
        ctx.save_for_backward(cos, sin)
        ctx.dtypes = q.dtype, k.dtype
        kinds = [torch.promote_types(one.dtype, cos.dtype) for one in (q, k)]
        return RoPEFunction.launch(q, k, cos, sin, kinds, False)

    @staticmethod
    def backward(ctx, dq, dk):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this rotation has no second derivative; create_graph=True needs PyTorch's operations"
            )
        return *RoPEFunction.launch(dq, dk, *ctx.saved_tensors, ctx.dtypes, True), None, None

    @staticmethod
    def launch(q, k, cos, sin, kinds, backward):
        q, k = (one if one.stride(-1) == 1 else one.contiguous() for one in (q, k))
        outs = [torch.empty_like(one, dtype=kind) for one, kind in zip((q, k), kinds, strict=True)]
        outs = [
            one if one.stride(-1) == 1 else torch.empty(one.shape, dtype=one.dtype, device=one.device) for one in outs
        ]
        batch, _, length, width = q.shape
        block = triton.next_power_of_2(width // 2)
        heads = max(1, min(triton.next_power_of_2(q.shape[1]), 2048 // block))
        with torch.cuda.device(q.get_device()):
            rope_kernel[(batch * length,)](
                q,
                k,
                *outs,
                cos,
                sin,
                length,
                width // 2,
                q.shape[1],
                k.shape[1],
                *(one.stride(d) for one in (q, k, *outs) for d in range(3)),
                cos.stride(0) if cos.dim() == 3 and cos.shape[0] > 1 else 0,
                BACKWARD=backward,
                HEADS=heads,
                BLOCK=block,
                num_warps=4,
            )
        return tuple(outs)


def rope_fits(q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, fp32, fp16 or bf16, of an even width, tables that need no gradient."""
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    length, width = q.shape[-2:] if q.dim() == 4 else (0, 0)
    return (
        all(one.is_cuda and one.device == q.device and one.dtype in kinds for one in (q, k, cos, sin))
        and q.dim() == k.dim() == 4
        and q.numel() > 0
        and k.numel() > 0
        and width % 2 == 0
        and k.shape[0] == q.shape[0]
        and k.shape[-2:] == q.shape[-2:]
        and cos.shape == sin.shape
        and cos.dtype == sin.dtype
        and cos.shape in ((length, width), (q.shape[0], length, width), (1, length, width))
        and not (torch.is_grad_enabled() and (cos.requires_grad or sin.requires_grad))
    )


def fused_rope(
    q: torch.Tensor, k: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    return RoPEFunction.apply(q, k, cos, sin)
