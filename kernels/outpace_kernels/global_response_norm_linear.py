"""Global response normalisation absorbed into the linear layer after it, forward and backward.

    y wᵀ + b = x (w diag(1 + gain n))ᵀ + (b + w bias),  n and y as in `global_response_norm`

y is never written: a kernel reads x once for its norms, another scales w for each sample, and a batched product with
its bias does the rest. It pays where a sample has many more positions than the layer has outputs.

Backward needs no pass over y either. With G[b] = doᵀ x of a sample, [out, channels], and s the scale:
dw = Σ_b G diag(s) + (Σ do) biasᵀ, and ds[c] = Σ_o w[o, c] G[o, c]; dx = do (w diag(s)) + x dr / r.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

from outpace_kernels.global_response_norm import (
    global_response_norm_fits,
    global_response_norm_reference,
    refuse_second_derivative,
    response,
    response_flow,
    scaled,
)


def global_response_norm_linear_reference(
    x: torch.Tensor,
    gain: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    linear_bias: torch.Tensor,
    eps: float = 1e-6,
) -> torch.Tensor:
    """The norm, then the linear layer."""
    normed = global_response_norm_reference(x, gain, bias, eps)
    return torch.nn.functional.linear(normed, weight, linear_bias)


def global_response_norm_linear(
    x: torch.Tensor,
    gain: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    linear_bias: torch.Tensor,
    eps: float = 1e-6,
) -> torch.Tensor:
    """[batch, positions, out], of x's dtype. As `global_response_norm`, with `weight` [out, channels] and `linear_bias`
    [out]. What `global_response_norm_linear_fits` refuses is computed by the reference.
    """
    fits = global_response_norm_linear_fits(x, gain, bias, weight, linear_bias)
    function = fused_global_response_norm_linear if fits else global_response_norm_linear_reference
    return function(x, gain, bias, weight, linear_bias, eps)


@triton.jit
def response_product(
    x,
    weight,
    bias,
    two,
    two_scale,
    out,
    length,
    outs,
    channels,
    x_batch,
    x_place,
    w_batch,
    w_out,
    w_channel,
    two_batch,
    two_place,
    HAS_BIAS: tl.constexpr,
    HAS_TWO: tl.constexpr,
    BLOCK_M: tl.constexpr,
    BLOCK_N: tl.constexpr,
    BLOCK_K: tl.constexpr,
):
    """out[b] = x[b] weight[b]ᵀ, plus bias, plus two two_scale[b]. Neighbours share rows of x, the larger matrix."""
    # From the last sample on: what the sums read last is in the cache yet.
    batch = (tl.num_programs(1) - 1 - tl.program_id(1)).to(tl.int64)
    wide = tl.cdiv(outs, BLOCK_N)
    row = (tl.program_id(0) // wide) * BLOCK_M + tl.arange(0, BLOCK_M)
    column = (tl.program_id(0) % wide) * BLOCK_N + tl.arange(0, BLOCK_N)
    depth = tl.arange(0, BLOCK_K)
    x_at = x + batch * x_batch + (row % length).to(tl.int64)[:, None] * x_place + depth[None, :]
    w_at = weight + batch * w_batch + (column % outs)[None, :] * w_out + depth[:, None] * w_channel
    total = tl.zeros((BLOCK_M, BLOCK_N), tl.float32)
    for start in range(0, channels, BLOCK_K):
        first = tl.load(x_at, mask=depth[None, :] < channels - start, other=0.0)
        second = tl.load(w_at, mask=depth[:, None] < channels - start, other=0.0)
        total = tl.dot(first, second, total)
        x_at += BLOCK_K
        w_at += BLOCK_K * w_channel
    inside = (row < length)[:, None] & (column < outs)[None, :]
    if HAS_BIAS:
        total += tl.load(bias + column, mask=column < outs, other=0.0)[None, :]
    if HAS_TWO:
        at = two + batch * two_batch + row.to(tl.int64)[:, None] * two_place + column[None, :]
        scale = tl.load(two_scale + batch * outs + column, mask=column < outs, other=0.0)
        total += tl.load(at, mask=inside, other=0.0).to(tl.float32) * scale[None, :]
    at = (batch * length + row.to(tl.int64))[:, None] * outs + column[None, :]
    tl.store(out + at, total.to(out.dtype.element_ty), mask=inside)


@triton.jit
def response_met(
    one,
    two,
    out,
    rows,
    channels,
    one_owner,
    one_row,
    ROWS: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """out[owner, channel] = Σ over rows of one[owner, row, channel] two[row, channel]."""
    owner, row = tl.program_id(1).to(tl.int64), tl.arange(0, ROWS)
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    total = tl.zeros((ROWS, CHANNELS), tl.float32)
    for start in range(0, rows, ROWS):
        at = (start + row).to(tl.int64)[:, None]
        inside = (at < rows) & (channel < channels)[None, :]
        first = tl.load(one + owner * one_owner + at * one_row + channel[None, :], mask=inside, other=0.0)
        second = tl.load(two + at * channels + channel[None, :], mask=inside, other=0.0)
        total += first.to(tl.float32) * second.to(tl.float32)
    tl.store(out + owner * channels + channel, tl.sum(total, axis=0), mask=channel < channels)


def product(x, weight, bias=None, two=None, two_scale=None):
    """`response_product`: `weight` [batch, outs, channels] at any strides."""
    (batch, length, channels), outs = x.shape, weight.shape[1]
    out = torch.empty(batch, length, outs, dtype=x.dtype, device=x.device)
    # With a matrix to add, smaller blocks, of which one multiplies while another adds.
    block = min(max(triton.next_power_of_2(outs), 16), 256 if two is None else 128)
    other = x if two is None else two
    with torch.cuda.device(x.get_device()):
        response_product[(triton.cdiv(length, 128) * triton.cdiv(outs, block), batch)](
            x,
            weight,
            weight if bias is None else bias,
            other,
            weight if two_scale is None else two_scale,
            out,
            length,
            outs,
            channels,
            *x.stride()[:2],
            *weight.stride(),
            *other.stride()[:2],
            HAS_BIAS=bias is not None,
            HAS_TWO=two is not None,
            BLOCK_M=128,
            BLOCK_N=block,
            BLOCK_K=64,
            num_warps=8,
            num_stages=3,
        )
    return out


def met_by(one, two):
    """`response_met`: [owners, channels] in fp32, of [owners, rows, channels] at its strides and [rows, channels]."""
    owners, rows, channels = one.shape
    out = torch.empty(owners, channels, dtype=torch.float32, device=one.device)
    block = min(triton.next_power_of_2(channels), 128)
    with torch.cuda.device(one.get_device()):
        response_met[(triton.cdiv(channels, block), owners)](
            one, two, out, rows, channels, *one.stride()[:2], ROWS=16, CHANNELS=block, num_warps=4
        )
    return out


class GlobalResponseNormLinearFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, bias, weight, linear_bias, eps):
        x, weight = x if x.stride(-1) == 1 else x.contiguous(), weight.contiguous()
        norm, scale = response(x, gain, eps)
        ctx.eps, ctx.kind = eps, linear_bias.dtype
        ctx.save_for_backward(x, gain, bias, weight, norm, scale)
        folded = torch.addmv(linear_bias.float(), weight.float(), bias.float())
        return product(x, scaled(weight.unsqueeze(0), scale), folded)

    @staticmethod
    def backward(ctx, dy):
        refuse_second_derivative()
        x, gain, bias, weight, norm, scale = ctx.saved_tensors
        dy = dy.contiguous()
        per_sample = dy.transpose(1, 2) @ x
        dlinear_bias = dy.sum((0, 1), dtype=torch.float32)
        dweight = met_by(per_sample.transpose(0, 1), scale) + torch.outer(dlinear_bias, bias.float())
        dgain, radial = response_flow(met_by(per_sample, weight), gain, norm, ctx.eps)
        dx = product(dy, scaled(weight.unsqueeze(0), scale).transpose(1, 2), two=x, two_scale=radial)
        dbias = (dlinear_bias @ weight.float()).to(bias.dtype)
        return dx, dgain, dbias, dweight.to(weight.dtype), dlinear_bias.to(ctx.kind), None


def global_response_norm_linear_fits(
    x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, weight: torch.Tensor, linear_bias: torch.Tensor
) -> bool:
    """Whether the kernel takes them: as `global_response_norm_fits`, fp16 or bf16, and at least eight times as many
    positions as outputs, since each sample has weights of its own.
    """
    return (
        global_response_norm_fits(x, gain, bias)
        and x.dtype is not torch.float32
        and weight.dim() == 2
        and weight.shape[1] == x.shape[2]
        and linear_bias.shape == weight.shape[:1]
        and 0 < 8 * weight.shape[0] <= x.shape[1]
        and all(one.dtype is x.dtype and one.device == x.device for one in (weight, linear_bias))
    )


def fused_global_response_norm_linear(
    x: torch.Tensor,
    gain: torch.Tensor,
    bias: torch.Tensor,
    weight: torch.Tensor,
    linear_bias: torch.Tensor,
    eps: float = 1e-6,
) -> torch.Tensor:
    return GlobalResponseNormLinearFunction.apply(x, gain, bias, weight, linear_bias, eps)
