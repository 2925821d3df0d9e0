"""Global response normalisation, forward and backward.

n[b, c] = r[b, c] / (mean over c of r[b, c] + eps),  r = √(Σ over positions of x²)
y = x (1 + gain n) + bias
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def global_response_norm_reference(
    x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, eps: float = 1e-6
) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    norm = torch.linalg.vector_norm(x, dim=1, keepdim=True, dtype=torch.promote_types(x.dtype, torch.float32))
    scale = norm / (norm.mean(dim=-1, keepdim=True) + eps)
    return (x * (1 + gain * scale) + bias).to(x.dtype)


def global_response_norm(x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, eps: float = 1e-6) -> torch.Tensor:
    """Of x's shape and dtype. `x`: [batch, positions, channels]; `gain`, `bias`: [channels]. What
    `global_response_norm_fits` refuses is computed by the reference.
    """
    fits = global_response_norm_fits(x, gain, bias)
    return (fused_global_response_norm if fits else global_response_norm_reference)(x, gain, bias, eps)


@triton.jit
def response_sums(
    one,
    two,
    sums,
    plain,
    length,
    channels,
    share,
    one_batch,
    one_place,
    two_batch,
    two_place,
    SAME: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """Σ one·two over a share of the positions, for each channel of a sample; where they differ, Σ two as well."""
    batch = tl.program_id(2).to(tl.int64)
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    row = tl.arange(0, TIMES)
    start = tl.program_id(1) * share
    total, other = tl.zeros((TIMES, CHANNELS), tl.float32), tl.zeros((TIMES, CHANNELS), tl.float32)
    for begin in tl.range(start, start + share, TIMES, num_stages=3):
        time = (begin + row).to(tl.int64)[:, None]
        inside = (time < tl.minimum(start + share, length)) & (channel < channels)[None, :]
        first = tl.load(one + batch * one_batch + time * one_place + channel[None, :], mask=inside, other=0.0)
        first = first.to(tl.float32)
        if SAME:
            total += first * first
        else:
            second = tl.load(two + batch * two_batch + time * two_place + channel[None, :], mask=inside, other=0.0)
            second = second.to(tl.float32)
            total += first * second
            other += second
    to = (batch * tl.num_programs(1) + tl.program_id(1)) * channels + channel
    tl.store(sums + to, tl.sum(total, axis=0), mask=channel < channels)
    if not SAME:
        tl.store(plain + to, tl.sum(other, axis=0), mask=channel < channels)


@triton.jit
def response_norms(sums, gain, norms, scale, shares, channels, eps, BLOCK: tl.constexpr):
    """r and 1 + gain n of a sample, from the shares of its sums of squares."""
    eps = tl.cast(eps, tl.float32)
    batch, channel = tl.program_id(0).to(tl.int64), tl.arange(0, BLOCK)
    within = channel < channels
    total = tl.zeros((BLOCK,), tl.float32)
    for share in range(shares):
        total += tl.load(sums + (batch * shares + share) * channels + channel, mask=within, other=0.0)
    norm = tl.sqrt_rn(total)
    ratio = norm / (tl.sum(norm, axis=0) / channels + eps)
    factor = 1 + tl.load(gain + channel, mask=within, other=0.0).to(tl.float32) * ratio
    tl.store(norms + batch * channels + channel, norm, mask=within)
    tl.store(scale + batch * channels + channel, factor, mask=within)


@triton.jit
def response_scale(
    one,
    scale,
    two,
    two_scale,
    shift,
    out,
    length,
    channels,
    one_batch,
    one_place,
    two_batch,
    two_place,
    HAS_TWO: tl.constexpr,
    HAS_SHIFT: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """one scale[sample, channel], plus two two_scale[sample, channel], plus shift[channel]."""
    # From the last sample on: what the sums read last is in the cache yet.
    batch = (tl.num_programs(2) - 1 - tl.program_id(2)).to(tl.int64)
    channel = (tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS))[None, :]
    time = (tl.program_id(1) * TIMES + tl.arange(0, TIMES)).to(tl.int64)[:, None]
    within = channel < channels
    inside = (time < length) & within
    result = tl.load(one + batch * one_batch + time * one_place + channel, mask=inside, other=0.0).to(tl.float32)
    result *= tl.load(scale + batch * channels + channel, mask=within, other=0.0)
    if HAS_TWO:
        second = tl.load(two + batch * two_batch + time * two_place + channel, mask=inside, other=0.0).to(tl.float32)
        result += second * tl.load(two_scale + batch * channels + channel, mask=within, other=0.0)
    if HAS_SHIFT:
        result += tl.load(shift + channel, mask=within, other=0.0).to(tl.float32)
    at = (batch * length + time) * channels + channel
    tl.store(out + at, result.to(out.dtype.element_ty), mask=inside)


def summed(one, two=None):
    """(Σ one·two, Σ two) over shares of the positions, [batch, shares, channels], fp32; without `two` Σ one² twice."""
    batch, length, channels = one.shape
    block, times = min(triton.next_power_of_2(channels), 128), 32
    owners = batch * triton.cdiv(channels, block)
    # Enough programs for any GPU, and no share so small that its partial sums cost as much as its positions.
    shares = max(min(triton.cdiv(1024, owners), triton.cdiv(length, 4 * times)), 1)
    share = triton.cdiv(triton.cdiv(length, shares), times) * times
    shares = triton.cdiv(length, share)
    sums = torch.empty(batch, shares, channels, dtype=torch.float32, device=one.device)
    plain = sums if two is None else torch.empty_like(sums)
    other = one if two is None else two
    with torch.cuda.device(one.get_device()):
        response_sums[(triton.cdiv(channels, block), shares, batch)](
            one,
            other,
            sums,
            plain,
            length,
            channels,
            share,
            *one.stride()[:2],
            *other.stride()[:2],
            SAME=two is None,
            TIMES=times,
            CHANNELS=block,
            num_warps=4,
        )
    return sums, plain


def scaled(one, scale, two=None, two_scale=None, shift=None):
    """`response_scale`, in the dtype of `one`, which may have one sample for all scales."""
    (batch, channels), length = scale.shape, one.shape[1]
    block = min(triton.next_power_of_2(channels), 128)
    out = torch.empty(batch, length, channels, dtype=one.dtype, device=one.device)
    second = one if two is None else two
    with torch.cuda.device(one.get_device()):
        response_scale[(triton.cdiv(channels, block), triton.cdiv(length, 32), batch)](
            one,
            scale.contiguous(),
            second,
            scale if two_scale is None else two_scale.contiguous(),
            scale if shift is None else shift.contiguous(),
            out,
            length,
            channels,
            one.stride(0) if one.shape[0] > 1 else 0,
            one.stride(1),
            *second.stride()[:2],
            HAS_TWO=two is not None,
            HAS_SHIFT=shift is not None,
            TIMES=32,
            CHANNELS=block,
            num_warps=4,
        )
    return out


def response(x, gain, eps):
    """(r, 1 + gain n), [batch, channels] in fp32."""
    sums, _ = summed(x)
    batch, shares, channels = sums.shape
    norms, scale = (torch.empty(batch, channels, dtype=torch.float32, device=x.device) for _ in range(2))
    with torch.cuda.device(x.get_device()):
        response_norms[(batch,)](
            sums,
            gain.contiguous(),
            norms,
            scale,
            shares,
            channels,
            float(eps),
            BLOCK=triton.next_power_of_2(channels),
            num_warps=4,
        )
    return norms, scale


def response_flow(met, gain, norm, eps):
    """(d gain, dr / r) of what flows into 1 + gain n. A channel of zeros has no direction: there it is 0."""
    mean = norm.mean(-1, keepdim=True) + eps
    ratio = norm / mean
    flow = met * gain.float()
    along = (flow * ratio).mean(-1, keepdim=True)
    radial = torch.where(norm > 0, (flow - along) / (mean * norm), 0.0)
    return (met * ratio).sum(0).to(gain.dtype), radial


def refuse_second_derivative():
    if torch.is_grad_enabled() and not torch.compiler.is_compiling():
        raise NotImplementedError("this norm has no second derivative; create_graph=True needs PyTorch's operations")


class GlobalResponseNormFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, gain, bias, eps):
        x = x if x.stride(-1) == 1 else x.contiguous()
        norm, scale = response(x, gain, eps)
        ctx.eps, ctx.kind = eps, bias.dtype
        ctx.save_for_backward(x, gain, norm, scale)
        return scaled(x, scale, shift=bias)

    @staticmethod
    def backward(ctx, dy):
        refuse_second_derivative()
        x, gain, norm, scale = ctx.saved_tensors
        dy = dy.contiguous()
        met, flow = summed(x, dy)
        dgain, radial = response_flow(met.sum(1), gain, norm, ctx.eps)
        return scaled(dy, scale, x, radial), dgain, flow.sum((0, 1)).to(ctx.kind), None


def global_response_norm_fits(x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, of one dtype, fp32, fp16 or bf16, not empty, up to 16,384 channels."""
    return (
        x.is_cuda
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and x.dim() == 3
        and x.numel() > 0
        and x.shape[0] <= 65535
        and x.shape[2] <= 16384
        and x.shape[1] <= 65535 * 32
        and all(one.shape == x.shape[2:] and one.dtype is x.dtype and one.device == x.device for one in (gain, bias))
    )


def fused_global_response_norm(
    x: torch.Tensor, gain: torch.Tensor, bias: torch.Tensor, eps: float = 1e-6
) -> torch.Tensor:
    return GlobalResponseNormFunction.apply(x, gain, bias, eps)
