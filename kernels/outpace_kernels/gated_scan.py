"""The linear recurrence with a gate for each channel, along the length, forward and backward.

    h[t] = gate[t] h[t-1] + value[t],  h[-1] = 0
    g[t] = dh[t] + gate[t+1] g[t+1]        dgate[t] = g[t] h[t-1]        dvalue[t] = g[t]

A program of one warp owns a few channels of one sequence and walks over its length a block of positions at a time:
within a block a scan that never leaves the warp, and mostly not the thread, between blocks one row in registers. Each
number is read once and written once; backward keeps gates and states, and walks from the end. The state is kept in fp32
and rounded where it is written.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def gated_scan_reference(gate: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """The same in PyTorch, as parallel scans are spelled there: each step doubles how far a state has looked back."""
    kind = torch.promote_types(gate.dtype, value.dtype)
    wide = torch.promote_types(kind, torch.float32)
    factor, state, reach = gate.to(wide), value.to(wide), 1
    while reach < gate.shape[1]:
        state = state + factor * torch.nn.functional.pad(state[:, :-reach], (0, 0, reach, 0))
        factor = factor * torch.nn.functional.pad(factor[:, :-reach], (0, 0, reach, 0))
        reach *= 2
    return state.to(kind)


def gated_scan(gate: torch.Tensor, value: torch.Tensor) -> torch.Tensor:
    """Of their shape and of the wider of their dtypes. `gate`, `value`: [batch, length, channels]. What
    `gated_scan_fits` refuses is computed by the reference.
    """
    return (fused_gated_scan if gated_scan_fits(gate, value) else gated_scan_reference)(gate, value)


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
