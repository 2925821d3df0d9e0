# target: GatedDelta
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
def causal_conv_row(x, at, channel, length, channels, place):
    """The channels at one position; zero before the first and beyond the last."""
    inside = (at >= 0) & (at < length) & (channel < channels)
    return tl.load(x + at.to(tl.int64) * place + channel, mask=inside, other=0.0)


@triton.jit
def causal_conv_backward(
    dy,
    x,
    weight,
    bias,
    dx,
    partial,
    length,
    channels,
    x_batch,
    x_place,
    HAS_BIAS: tl.constexpr,
    SILU: tl.constexpr,
    TAPS: tl.constexpr,
    TIMES: tl.constexpr,
    CHANNELS: tl.constexpr,
    STEPS: tl.constexpr,
):
    batch = tl.program_id(2).to(tl.int64)
    x += batch * x_batch
    dy += batch * length * channels
    dx += batch * length * channels
    start = tl.program_id(1) * TIMES
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)
    within = channel < channels
    offset = tl.zeros((CHANNELS,), tl.float32)
    if HAS_BIAS:
        offset = tl.load(bias + channel, mask=within, other=0.0).to(tl.float32)
    taps, sums, flows, window = (), (), (), ()
    last = start + TIMES + TAPS - 2
    for tap in tl.static_range(TAPS):
        taps = taps + (tl.load(weight + channel * TAPS + tap, mask=within, other=0.0).to(tl.float32),)
        sums = sums + (tl.zeros((CHANNELS,), tl.float32),)
        flows = flows + (tl.zeros((CHANNELS,), tl.float32),)
        # What the taps see at the position after the first one taken.
        row = causal_conv_row(x, last + 1 - (TAPS - 1) + tap, channel, length, channels, x_place)
        window = window + (row.to(tl.float32),)
    total = tl.zeros((CHANNELS,), tl.float32)
    # From the last position whose output the block's inputs reach, back to the block's first.
    for first in range(0, TIMES + TAPS - 1, STEPS):
        # Loads of several positions are under way at once: none of these waits for a store.
        comes, flown = (), ()
        for step in tl.static_range(STEPS):
            time = last - first - step
            comes = comes + (causal_conv_row(x, time - (TAPS - 1), channel, length, channels, x_place),)
            flown = flown + (causal_conv_row(dy, time, channel, length, channels, channels),)
        for step in tl.static_range(STEPS):
            time = last - first - step
            window = (comes[step].to(tl.float32),) + window[:-1]
            flow = flown[step].to(tl.float32)
            if SILU:
                z = offset
                for tap in tl.static_range(TAPS):
                    z += taps[tap] * window[tap]
                share = 1 / (1 + tl.exp(-z))
                flow = flow * share * (1 + z * (1 - share))
            flows = (flow,) + flows[:-1]
            mine = time < start + TIMES
            # Each x is of one program, whichever output it meets.
            value = tl.where(mine, window[TAPS - 1], 0.0)
            grad = tl.zeros((CHANNELS,), tl.float32)
            added = ()
            for tap in tl.static_range(TAPS):
                grad += taps[tap] * flows[TAPS - 1 - tap]
                added = added + (sums[tap] + value * flows[TAPS - 1 - tap],)
            sums = added
            total += tl.where(mine, flow, 0.0)
            to = dx + time.to(tl.int64) * channels + channel
            tl.store(to, grad.to(dx.dtype.element_ty), mask=mine & (time < length) & within)
    place = (tl.program_id(2) * tl.num_programs(1) + tl.program_id(1)).to(tl.int64)
    part = partial + place * (TAPS + 1) * channels + channel
    for tap in tl.static_range(TAPS):
        tl.store(part + tap * channels, sums[tap], mask=within)
    tl.store(part + TAPS * channels, total, mask=within)


class CausalConvFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias, silu):
        x, weight = x if x.stride(-1) == 1 else x.contiguous(), weight.contiguous()
        bias = None if bias is None else bias.contiguous()
        y = torch.empty(x.shape, dtype=x.dtype, device=x.device)
        ctx.silu = silu
        ctx.save_for_backward(x, weight, bias)
        grid, settings = causal_conv_launch(x, weight, bias, silu, 32)
        with torch.cuda.device(x.get_device()):
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
        (batch, length, channels), taps = x.shape, weight.shape[1]
        block = min(triton.next_power_of_2(channels), 128)
        # Warps enough for any GPU, and walks whose partial sums and first positions cost little beside the others.
        walks = triton.cdiv(channels, block) * batch
        walk = min(
            max(triton.next_power_of_2(walks * length // 4096), 32), 256, triton.next_power_of_2(length + taps - 1)
        )
        times = max(walk, 8) - (taps - 1)
        grid = triton.cdiv(channels, block), triton.cdiv(length, times), batch
        partial = torch.empty((grid[1] * batch, taps + 1, channels), dtype=torch.float32, device=x.device)
        with torch.cuda.device(x.get_device()):
            causal_conv_backward[grid](
                dy.contiguous(),
                x,
                weight,
                x if bias is None else bias,
                dx,
                partial,
                *x.shape[1:],
                *x.stride()[:2],
                HAS_BIAS=bias is not None,
                SILU=ctx.silu,
                TAPS=taps,
                TIMES=times,
                CHANNELS=block,
                STEPS=8,
                num_warps=1,
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


class GatedDelta(nn.Module):
    def __init__(self, hidden, dim):
        super().__init__()
        self.q_proj = nn.Linear(hidden, dim, bias=False)
        self.k_proj = nn.Linear(hidden, dim, bias=False)
        self.q_conv1d = nn.Conv1d(dim, dim, 4, padding=3, groups=dim, bias=False)
        self.k_conv1d = nn.Conv1d(dim, dim, 4, padding=3, groups=dim, bias=False)

    def forward(self, x):
        rows = self.q_proj(x)
        if (
            type(self.q_conv1d) is nn.Conv1d
            and causal_conv_fits(rows, self.q_conv1d.weight.squeeze(1), self.q_conv1d.bias)
            and x.shape[1] == rows.shape[1]
        ):
            q = fused_causal_conv(rows, self.q_conv1d.weight.squeeze(1), self.q_conv1d.bias, True)
        else:
            q = F.silu(self.q_conv1d(rows.permute(0, 2, 1))[..., : x.shape[1]].permute(0, 2, 1))
        k = self.k_proj(x)
        if (
            type(self.k_conv1d) is nn.Conv1d
            and causal_conv_fits(k, self.k_conv1d.weight.squeeze(1), self.k_conv1d.bias)
        ):
            k = fused_causal_conv(k, self.k_conv1d.weight.squeeze(1), self.k_conv1d.bias, True)
        else:
            k = F.silu(self.k_conv1d(k.mT)[..., :-3]).mT
        return q * k


def get_init_inputs():
    return [6, 8]


def get_inputs():
    return [torch.randn(2, 9, 6)]
