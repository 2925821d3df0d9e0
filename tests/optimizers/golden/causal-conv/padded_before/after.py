# target: ShortConv
import torch
import torch.nn.functional as F
from torch import nn
import triton
import triton.language as tl


# Depthwise causal convolution in one kernel, from outpace 0.1.0: kernels/causal_conv.py, Apache-2.0.
@triton.jit
def causal_conv_sum(
    x,
    weight,
    bias,
    time,
    channel,
    length,
    channels,
    x_place,
    HAS_BIAS: tl.constexpr,
    TAPS: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """z at the positions `time` [TIMES, 1] and channels [1, CHANNELS], in fp32; zero beyond the length."""
    z = tl.zeros((TIMES, CHANNELS), tl.float32)
    if HAS_BIAS:
        z += tl.load(bias + channel, mask=channel < channels, other=0.0).to(tl.float32)
    for tap in tl.static_range(TAPS):
        at = time - (TAPS - 1) + tap
        inside = (at >= 0) & (at < length) & (channel < channels)
        tapped = tl.load(weight + channel * TAPS + tap, mask=channel < channels, other=0.0).to(tl.float32)
        z += tapped * tl.load(x + at * x_place + channel, mask=inside, other=0.0).to(tl.float32)
    return z


@triton.jit
def causal_conv_forward(
    x,
    weight,
    bias,
    y,
    length,
    channels,
    x_batch,
    x_place,
    HAS_BIAS: tl.constexpr,
    SILU: tl.constexpr,
    TAPS: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    batch = tl.program_id(2).to(tl.int64)
    time = (tl.program_id(1) * TIMES + tl.arange(0, TIMES)[:, None]).to(tl.int64)
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)[None, :]
    z = causal_conv_sum(
        x + batch * x_batch, weight, bias, time, channel, length, channels, x_place, HAS_BIAS, TAPS, TIMES, CHANNELS
    )
    if SILU:
        z = z / (1 + tl.exp(-z))
    to = y + (batch * length + time) * channels + channel
    tl.store(to, z.to(y.dtype.element_ty), mask=(time < length) & (channel < channels))


@triton.jit
def causal_conv_flow(
    dy,
    x,
    weight,
    bias,
    time,
    channel,
    length,
    channels,
    x_place,
    HAS_BIAS: tl.constexpr,
    TAPS: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    """dz of y = SiLU(z), in fp32, at positions `time`; zero beyond the length."""
    z = causal_conv_sum(x, weight, bias, time, channel, length, channels, x_place, HAS_BIAS, TAPS, TIMES, CHANNELS)
    inside = (time < length) & (channel < channels)
    flow = tl.load(dy + time * channels + channel, mask=inside, other=0.0).to(tl.float32)
    share = 1 / (1 + tl.exp(-z))
    return flow * share * (1 + z * (1 - share))


@triton.jit
def causal_conv_backward(
    dy,
    x,
    weight,
    bias,
    dx,
    dz,
    partial,
    length,
    channels,
    x_batch,
    x_place,
    HAS_BIAS: tl.constexpr,
    SILU: tl.constexpr,
    TAPS: tl.constexpr,
    HALO: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
):
    batch = tl.program_id(2).to(tl.int64)
    x += batch * x_batch
    dy += batch * length * channels
    start = (tl.program_id(1) * TIMES).to(tl.int64)
    row = tl.arange(0, TIMES)[:, None]
    lane = tl.arange(0, CHANNELS)[None, :]
    time, channel = start + row, tl.program_id(0) * CHANNELS + lane
    within = channel < channels
    place = (tl.program_id(2) * tl.num_programs(1) + tl.program_id(1)).to(tl.int64)
    if SILU:
        # dz of the block and of the positions after it is computed once, and read again at every tap's distance.
        after = tl.arange(0, HALO)[:, None]
        dz += (place * tl.num_programs(0) + tl.program_id(0)) * (TIMES + HALO) * CHANNELS
        flow = causal_conv_flow(
            dy, x, weight, bias, time, channel, length, channels, x_place, HAS_BIAS, TAPS, TIMES, CHANNELS
        )
        tl.store(dz + row * CHANNELS + lane, flow.to(dz.dtype.element_ty))
        beyond = causal_conv_flow(
            dy,
            x,
            weight,
            bias,
            start + TIMES + after,
            channel,
            length,
            channels,
            x_place,
            HAS_BIAS,
            TAPS,
            HALO,
            CHANNELS,
        )
        tl.store(dz + (TIMES + after) * CHANNELS + lane, beyond.to(dz.dtype.element_ty))
        tl.debug_barrier()
    column = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    part = partial + place * (TAPS + 1) * channels + column
    value = tl.load(x + time * x_place + channel, mask=(time < length) & within, other=0.0).to(tl.float32)
    grad = tl.zeros((TIMES, CHANNELS), tl.float32)
    for ahead in tl.static_range(TAPS):
        if SILU:
            flow = tl.load(dz + (row + ahead) * CHANNELS + lane).to(tl.float32)
        else:
            at = time + ahead
            flow = tl.load(dy + at * channels + channel, mask=(at < length) & within, other=0.0).to(tl.float32)
        tap = TAPS - 1 - ahead
        grad += flow * tl.load(weight + channel * TAPS + tap, mask=within, other=0.0).to(tl.float32)
        if ahead == 0:
            tl.store(part + TAPS * channels, tl.sum(flow, axis=0), mask=column < channels)
        # dweight[tap] = Σ_t x[t] dz[t + ahead]: each x is of one program, whichever dz it meets.
        tl.store(part + tap * channels, tl.sum(flow * value, axis=0), mask=column < channels)
    to = dx + (batch * length + time) * channels + channel
    tl.store(to, grad.to(dx.dtype.element_ty), mask=(time < length) & within)


class CausalConvFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, silu):
        x, weight = x if x.stride(-1) == 1 else x.contiguous(), weight.contiguous()
        bias = None if bias is None else bias.contiguous()
        y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        ctx.silu = silu
        ctx.save_for_backward(x, weight, bias)
        grid, settings = causal_conv_launch(x, weight, bias, silu, 32)
        with torch.cuda.device_of(x):
            causal_conv_forward[grid](
                x, weight, x if bias is None else bias, y, *x.shape[1:], *x.stride()[:2], **settings
            )
        return y

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this convolution has no second derivative; create_graph=True needs PyTorch's operations"
            )
        x, weight, bias = ctx.saved_tensors
        dx = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        channels, taps = weight.shape
        times, halo = min(max(triton.next_power_of_2(x.shape[1]), 16), 64), triton.next_power_of_2(taps - 1)
        grid, settings = causal_conv_launch(x, weight, bias, ctx.silu, times)
        settings |= {"HALO": halo, "num_warps": 8}
        partial = torch.empty((grid[1] * grid[2], taps + 1, channels), dtype=torch.float32, device=x.device)
        dy = dy.contiguous()
        own = grid[0] * grid[1] * grid[2] * (times + halo) * settings["CHANNELS"]
        dz = torch.empty(own, dtype=x.dtype, device=x.device) if ctx.silu else dy
        with torch.cuda.device_of(x):
            causal_conv_backward[grid](
                dy,
                x,
                weight,
                x if bias is None else bias,
                dx,
                dz,
                partial,
                *x.shape[1:],
                *x.stride()[:2],
                **settings,
            )
        sums = partial.sum(0)
        dbias = None if bias is None else sums[taps].to(bias.dtype)
        return dx, sums[:taps].t().contiguous().to(weight.dtype), dbias, None


def causal_conv_launch(x, weight, bias, silu, times):
    batch, length, channels = x.shape
    block = min(triton.next_power_of_2(channels), 64)
    grid = triton.cdiv(channels, block), triton.cdiv(length, times), batch
    settings = {"HAS_BIAS": bias is not None, "SILU": silu, "TAPS": weight.shape[1], "TIMES": times, "CHANNELS": block}
    return grid, {**settings, "num_warps": 4}


def causal_conv_fits(x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None) -> bool:
    """Whether the kernel takes them: on one GPU, of one dtype, fp32, fp16 or bf16, not empty, of 2 to 8 taps."""
    return (
        x.is_cuda
        and x.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and x.dim() == 3
        and x.numel() > 0
        and x.shape[0] <= 65535
        and x.shape[1] <= 65535 * 32
        and weight.dim() == 2
        and weight.shape[0] == x.shape[2]
        and 2 <= weight.shape[1] <= 8
        and (bias is None or bias.dim() == 1)
        and all(
            one is None or (one.dtype is x.dtype and one.device == x.device and one.shape[0] == x.shape[2])
            for one in (weight, bias)
        )
        and (not torch.is_autocast_enabled("cuda") or x.dtype is torch.get_autocast_dtype("cuda"))
    )


def fused_causal_conv(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, silu: bool = False
) -> torch.Tensor:
    return CausalConvFunction.apply(x, weight, bias, silu)


class ShortConv(nn.Module):
    def __init__(self, dim, kernel_size=3):
        super().__init__()
        self.kernel_size = kernel_size
        self.short = nn.Conv1d(dim, dim, kernel_size=kernel_size, groups=dim)

    def forward(self, x):
        if (
            type(self.short) is nn.Conv1d
            and causal_conv_fits(x.mT, self.short.weight.squeeze(1), self.short.bias)
            and self.kernel_size - 1 == self.short.weight.shape[-1] - 1
        ):
            y = fused_causal_conv(x.mT, self.short.weight.squeeze(1), self.short.bias).mT
        else:
            y = F.pad(x, (self.kernel_size - 1, 0))
            y = self.short(y)
        return y + x


def get_init_inputs():
    return [5]


def get_inputs():
    return [torch.randn(2, 5, 11)]
