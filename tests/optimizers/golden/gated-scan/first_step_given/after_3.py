# target: ema
import torch
import triton
import triton.language as tl


# Linear recurrence in one kernel, from outpace 0.1.0: kernels/gated_scan.py, Apache-2.0.
@triton.jit
def gated_scan_join(factor, state, next_factor, next_state):
    return factor * next_factor, state * next_factor + next_state


@triton.jit
def gated_scan_block(factor, state, carried, STEPS: tl.constexpr, PARTS: tl.constexpr):
    """(states [PARTS, STEPS, channels], the last of them in all parts) after `carried` [PARTS, channels]. A part's
    steps are of one thread, and scanned there; between parts, only their last ones are.
    """
    factor, state = tl.associative_scan((factor, state), 1, gated_scan_join)
    last = tl.arange(0, STEPS)[None, :, None] == STEPS - 1
    ends = tl.sum(tl.where(last, factor, 0.0), axis=1), tl.sum(tl.where(last, state, 0.0), axis=1)
    factor_to, state_to = tl.associative_scan(ends, 0, gated_scan_join)
    ends = state_to + factor_to * carried
    part = tl.arange(0, PARTS)[:, None] + tl.zeros_like(ends).to(tl.int32)
    before = tl.where(part == 0, carried, tl.gather(ends, tl.maximum(part - 1, 0), axis=0))
    return state + factor * before[:, None, :], tl.gather(ends, part * 0 + PARTS - 1, axis=0)


@triton.jit
def gated_scan_forward(
    gate,
    value,
    out,
    length,
    channels,
    gate_batch,
    gate_place,
    value_batch,
    value_place,
    STEPS: tl.constexpr,
    PARTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    STAGES: tl.constexpr,
):
    batch = tl.program_id(1).to(tl.int64)
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)[None, None, :]
    row = tl.arange(0, PARTS)[:, None, None] * STEPS + tl.arange(0, STEPS)[None, :, None]
    gate += batch * gate_batch
    value += batch * value_batch
    out += batch * length * channels
    carried = tl.zeros((PARTS, CHANNELS), tl.float32)
    for start in tl.range(0, length, STEPS * PARTS, num_stages=STAGES):
        time = (start + row).to(tl.int64)
        inside = (time < length) & (channel < channels)
        factor = tl.load(gate + time * gate_place + channel, mask=inside, other=0.0).to(tl.float32)
        state = tl.load(value + time * value_place + channel, mask=inside, other=0.0).to(tl.float32)
        state, carried = gated_scan_block(factor, state, carried, STEPS, PARTS)
        tl.store(out + time * channels + channel, state.to(out.dtype.element_ty), mask=inside)


@triton.jit
def gated_scan_backward(
    dy,
    gate,
    out,
    dgate,
    dvalue,
    length,
    channels,
    gate_batch,
    gate_place,
    STEPS: tl.constexpr,
    PARTS: tl.constexpr,
    CHANNELS: tl.constexpr,
    STAGES: tl.constexpr,
):
    batch = tl.program_id(1).to(tl.int64)
    channel = tl.program_id(0) * CHANNELS + tl.arange(0, CHANNELS)[None, None, :]
    row = tl.arange(0, PARTS)[:, None, None] * STEPS + tl.arange(0, STEPS)[None, :, None]
    gate += batch * gate_batch
    place = batch * length * channels + channel
    carried = tl.zeros((PARTS, CHANNELS), tl.float32)
    for start in tl.range(0, length, STEPS * PARTS, num_stages=STAGES):
        # Rows in falling order of time: the scan runs forward over them.
        time = (length - 1 - start - row).to(tl.int64)
        inside = (time >= 0) & (channel < channels)
        at = place + time * channels
        following = inside & (time < length - 1)
        factor = tl.load(gate + (time + 1) * gate_place + channel, mask=following, other=0.0).to(tl.float32)
        flow = tl.load(dy + at, mask=inside, other=0.0).to(tl.float32)
        before = tl.load(out + at - channels, mask=inside & (time > 0), other=0.0).to(tl.float32)
        flow, carried = gated_scan_block(factor, flow, carried, STEPS, PARTS)
        tl.store(dvalue + at, flow.to(dvalue.dtype.element_ty), mask=inside)
        tl.store(dgate + at, (flow * before).to(dgate.dtype.element_ty), mask=inside)


class GatedScanFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, gate, value):
        gate, value = (one if one.stride(-1) == 1 else one.contiguous() for one in (gate, value))
        out = torch.empty(gate.shape, dtype=torch.promote_types(gate.dtype, value.dtype), device=gate.device)
        grid, settings = gated_scan_launch(gate)
        with torch.cuda.device(gate.get_device()):
            gated_scan_forward[grid](
                gate, value, out, *gate.shape[1:], *gate.stride()[:2], *value.stride()[:2], **settings
            )
        ctx.kind = value.dtype
        ctx.save_for_backward(gate, out)
        return out

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this scan has no second derivative; create_graph=True needs PyTorch's operations"
            )
        gate, out = ctx.saved_tensors
        dgate = torch.empty(gate.shape, dtype=gate.dtype, device=gate.device)
        dvalue = torch.empty(gate.shape, dtype=ctx.kind, device=gate.device)
        grid, settings = gated_scan_launch(gate)
        with torch.cuda.device(gate.get_device()):
            gated_scan_backward[grid](
                dy.contiguous(), gate, out, dgate, dvalue, *gate.shape[1:], *gate.stride()[:2], **settings
            )
        return dgate, dvalue


def gated_scan_launch(gate):
    """Two or four threads of a warp share the channels in 16 bit, and its other lanes have a part of the steps each. 16
    channels, a sector of 32 bytes, where 32 would leave processors of a large GPU idle.
    """
    batch, _, channels = gate.shape
    block = min(32 if batch * channels >= 32 * 792 else 16, triton.next_power_of_2(channels))
    grid = triton.cdiv(channels, block), batch
    return grid, {"STEPS": 4, "PARTS": 8 if block == 32 else 16, "CHANNELS": block, "STAGES": 4, "num_warps": 1}


def gated_scan_fits(gate: torch.Tensor, value: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, of one shape, fp32, fp16 or bf16, not empty."""
    return (
        gate.is_cuda
        and gate.device == value.device
        and gate.shape == value.shape
        and gate.dim() == 3
        and gate.numel() > 0
        and gate.shape[0] <= 65535
        and all(one.dtype in (torch.float32, torch.float16, torch.bfloat16) for one in (gate, value))
    )


def fused_gated_scan(gate: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    return GatedScanFunction.apply(gate, value)


def linear_scan(decays, values, first):
    """h[t] = decays[t] * h[t - 1] + values[t] for all t, with h[-1] = first, in log2(steps) passes."""
    if not len(values):
        return (decays.sum(0) * first + values.sum(0)).unsqueeze(0)[:0]
    start = decays[0] * first + values[0]
    count = len(values)
    decays = decays.reshape(count, *[1] * (start.dim() + 1 - decays.dim()), *decays.shape[1:])
    values = values.reshape(count, *[1] * (start.dim() + 1 - values.dim()), *values.shape[1:])
    steps = torch.cat((start.unsqueeze(0), values[1:].expand(-1, *start.shape)))
    shift = 1
    while shift < count:
        steps = torch.cat((steps[:shift], steps[shift:] + decays[shift:] * steps[:-shift]))
        decays = torch.cat((decays[:shift], decays[shift:] * decays[:-shift]))
        shift *= 2
    return steps


def scanned_states(decays, values, first, zeros=False):
    """What linear_scan gives, by one kernel where it takes them. `zeros`: whether that is what `first` has."""
    if not len(values):
        return linear_scan(decays, values, first)
    start = decays[0] * first + values[0]
    shape = (len(values), *start.shape)
    gate, value = (
        one.reshape(len(one), *[1] * (len(shape) - one.dim()), *one.shape[1:]).expand(shape) for one in (decays, values)
    )
    batch = start.shape[0] if start.dim() > 1 else 1
    if start.is_cuda and start.numel():
        value = value.to(start.dtype) if zeros else torch.cat((start.unsqueeze(0), value[1:].to(start.dtype)))
        gate, value = (one.reshape(len(one), batch, -1).transpose(0, 1) for one in (gate, value))
        if gated_scan_fits(gate, value):
            return fused_gated_scan(gate, value).transpose(0, 1).reshape(shape).to(start.dtype)
    return linear_scan(decays, values, first)


def ema(x, gate, alpha):
    y = torch.empty_like(x)
    h = x[:, 0]
    y[:, 0] = h
    for t in range(1, x.shape[1]):
        h = (1 - gate[:, t]) * h + gate[:, t] * x[:, t - 1]
        y[:, t] = h
    z = torch.zeros_like(x)
    s = torch.zeros_like(x[:, 0])
    for t in range(1, x.shape[1]):
        s = alpha * s + x[:, t]
        z[:, t] = torch.tanh(s) * gate[:, t]
    last = x[:, 0]
    def one_t(gate_t_3, x_t_3):
        return gate_t_3, x_t_3
    last_decays, last_values = torch.vmap(one_t, in_dims=(1, 1))(gate[:, 2:x.shape[1]], x[:, 2:x.shape[1]])
    last_steps = scanned_states(last_decays, last_values, last)
    last = last_steps[-1].clone() if len(last_steps) else last
    return y + z + last.unsqueeze(1)


def get_inputs():
    return [torch.randn(3, 10, 4), torch.rand(3, 10, 4), torch.tensor(0.3)]
