"""Linear layers whose products are of FP8 numbers with one scale a tensor: current or delayed, forward alone or all.

    current     the scale is of the tensor's own largest number: one pass to find it, one to quantise
    delayed     the scale is of the largest of the last calls, which a buffer keeps, with headroom: one pass, which also
                finds this call's largest for the calls to come. Numbers beyond the scale are cut to the largest
    backward    bf16: from x and the weight as they are; fp8: dy in e5m2, times transposed e4m3 copies of x and the
                weight, which the forward pass wrote beside the others. It keeps half as many bytes.

e4m3 has 4 significant bits up to 448, e5m2 3 bits up to 57,344. Sums are in fp32, forward with Hopper's fast
accumulation, backward without it.
"""

from __future__ import annotations

from typing import Any

import torch
import triton
import triton.language as tl

from outpace_kernels.fp8_linear import fp8_linear_fits

LARGEST = {torch.float8_e4m3fn: 448.0, torch.float8_e5m2: 57344.0}
LEAST_SCALE = 2.0**-120
"""Its inverse is still a number in fp32."""
HISTORY = 16
"""Calls whose largest number a delayed scale goes by."""
HEADROOM = 1.25
"""How much larger than in those calls a number may be before it is cut; it costs a third of a binade of 17."""
X, WEIGHT, GRADIENT = range(3)
"""Rows of the history."""


def fp8_whole_reference(x: torch.Tensor, kind: torch.dtype = torch.float8_e4m3fn) -> tuple[torch.Tensor, torch.Tensor]:
    """Codes of `x`, and its one scale, in PyTorch."""
    scale = (x.detach().float().abs().amax() * (1.0 / LARGEST[kind])).clamp_min(LEAST_SCALE).view(1)
    return _coded(x, scale, kind), scale


def _coded(x: torch.Tensor, scale: torch.Tensor, kind: torch.dtype) -> torch.Tensor:
    return (x.detach().float() * (1.0 / scale)).clamp(-LARGEST[kind], LARGEST[kind]).to(kind)


class FP8ScaledReference(torch.autograd.Function):
    """The layer with current scales in PyTorch: dequantised products, in fp32 or fp64."""

    @staticmethod
    def forward(ctx, x, weight, bias, backward):
        kind = torch.promote_types(x.dtype, torch.float32)
        rows = x.reshape(-1, x.shape[-1])
        a, b = (codes.to(kind) * scale.to(kind) for codes, scale in map(fp8_whole_reference, (rows, weight)))
        ctx.save_for_backward(*((a, b) if backward == "fp8" else (rows.to(kind), weight.to(kind))))
        ctx.backward, ctx.kind = backward, x.dtype
        y = a @ b.t()
        y = y if bias is None else y + bias.to(kind)
        return y.to(x.dtype).view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def backward(ctx, dy):
        a, b = ctx.saved_tensors
        flow = dy.reshape(-1, dy.shape[-1])
        dbias = flow.sum(0) if ctx.needs_input_grad[2] else None
        if ctx.backward == "fp8":
            codes, scale = fp8_whole_reference(flow, torch.float8_e5m2)
            flow = codes.to(a.dtype) * scale.to(a.dtype)
        flow = flow.to(a.dtype)
        dx, dweight = (flow @ b).to(ctx.kind), (flow.t() @ a).to(ctx.kind)
        return dx.view(*dy.shape[:-1], b.shape[1]), dweight, dbias, None


def fp8_scaled_linear_reference(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, backward: str = "bf16"
) -> torch.Tensor:
    return FP8ScaledReference.apply(x, weight, bias, backward)


def fp8_scaled_linear(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, backward: str = "bf16"
) -> torch.Tensor:
    """With current scales. What `fp8_linear_fits` refuses is computed by the reference."""
    fits = fp8_linear_fits(x, weight, bias)
    return (fused_fp8_scaled_linear if fits else fp8_scaled_linear_reference)(x, weight, bias, backward)


@triton.jit
def fp8_largest(x, partial, count, BLOCK: tl.constexpr):
    """The largest number of every n-th block."""
    most = tl.zeros((BLOCK,), tl.float32)
    for block in range(tl.program_id(0), tl.cdiv(count, BLOCK), tl.num_programs(0)):
        at = (block + tl.zeros((BLOCK,), tl.int64)) * BLOCK + tl.arange(0, BLOCK)
        value = tl.abs(tl.load(x + at, mask=at < count, other=0.0).to(tl.float32))
        most = tl.maximum(most, value, propagate_nan=tl.PropagateNan.ALL)
    tl.store(partial + tl.program_id(0), tl.max(most, axis=0))


@triton.jit
def fp8_cast(
    x,
    known,
    partial,
    codes,
    flipped,
    scale,
    rows,
    width,
    padded,
    parts,
    LARGEST: tl.constexpr,
    DELAYED: tl.constexpr,
    FLIP: tl.constexpr,
    PARTS: tl.constexpr,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    """Tiles of x quantised, and transposed too, [width, padded], zeros where there are no rows. The scale is the one
    known, and `partial` becomes the largest of this program's tiles; or it is of the largest of `partial`.
    """
    if DELAYED:
        step = tl.load(known)
    else:
        place = tl.arange(0, PARTS)
        most = tl.max(tl.load(partial + place, mask=place < parts, other=0.0), axis=0)
        step = tl.maximum(most * (1.0 / LARGEST), 7.52316384526264e-37)
    inverse = tl.div_rn(1.0, step)
    if tl.program_id(0) == 0:
        tl.store(scale, step)
    largest = tl.zeros((ROWS, COLUMNS), tl.float32)
    wide = tl.cdiv(width, COLUMNS)
    for tile in range(tl.program_id(0), tl.cdiv(padded, ROWS) * wide, tl.num_programs(0)):
        row = (tile // wide) * ROWS + tl.arange(0, ROWS)
        column = (tile % wide) * COLUMNS + tl.arange(0, COLUMNS)
        inside = (row < rows)[:, None] & (column < width)[None, :]
        at = row.to(tl.int64)[:, None] * width + column[None, :]
        value = tl.load(x + at, mask=inside, other=0.0).to(tl.float32)
        if DELAYED:
            largest = tl.maximum(largest, tl.abs(value))
        value = tl.clamp(value * inverse, -LARGEST, LARGEST, propagate_nan=tl.PropagateNan.ALL)
        code = value.to(codes.dtype.element_ty)
        tl.store(codes + at, code, mask=inside)
        if FLIP:
            across = column.to(tl.int64)[:, None] * padded + row[None, :]
            tl.store(flipped + across, tl.trans(code), mask=(column < width)[:, None] & (row < padded)[None, :])
    if DELAYED:
        tl.store(partial + tl.program_id(0), tl.max(tl.max(largest, axis=1), axis=0))


@triton.jit
def fp8_follow(partial, history, known, parts, length, headroom, largest, PARTS: tl.constexpr, LENGTH: tl.constexpr):
    """Moves the history on by a call, and sets the scale for the next. A call's infinity is not counted."""
    headroom, largest = tl.cast(headroom, tl.float32), tl.cast(largest, tl.float32)
    place, at = tl.arange(0, PARTS), tl.arange(0, LENGTH)
    newest = tl.max(tl.load(partial + place, mask=place < parts, other=0.0), axis=0)
    newest = tl.where(newest < float("inf"), newest, 0.0)
    older = tl.load(history + at - 1, mask=(at > 0) & (at < length), other=0.0)
    values = tl.where(at == 0, newest, older)
    most = tl.max(values, axis=0)
    tl.debug_barrier()
    tl.store(history + at, values, mask=at < length)
    tl.store(known, tl.maximum(most * headroom / largest, 7.52316384526264e-37))


def fp8_whole(
    x: torch.Tensor,
    kind: torch.dtype = torch.float8_e4m3fn,
    flip: bool = False,
    known: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor | None, torch.Tensor]:
    """Of x, [rows, width]: its codes; its scale, [1] in fp32; with `flip` its transposed codes, rows padded by zeros to
    a multiple of 16, as a product over them needs; and the largest numbers of its parts. `known`: a delayed scale.
    """
    x = x.contiguous()
    rows, width = x.shape
    padded = triton.cdiv(rows, 16) * 16
    codes = torch.empty((rows, width), dtype=kind, device=x.device)
    flipped = torch.empty((width, padded), dtype=kind, device=x.device) if flip else None
    scale = torch.empty(1, dtype=torch.float32, device=x.device)
    tall, across = (128, 64) if flip else (32, 128)
    tiles = triton.cdiv(padded, tall) * triton.cdiv(width, across)
    processors = torch.cuda.get_device_properties(x.device).multi_processor_count if x.is_cuda else 2
    programs = min(tiles, (4 if flip else 8) * processors)
    partial = torch.empty(programs, dtype=torch.float32, device=x.device)
    with torch.cuda.device(x.get_device()):
        if known is None:
            fp8_largest[(programs,)](x, partial, x.numel(), BLOCK=4096, num_warps=4)
        fp8_cast[(programs,)](
            x,
            partial if known is None else known,
            partial,
            codes,
            codes if flipped is None else flipped,
            scale,
            rows,
            width,
            padded,
            programs,
            LARGEST=LARGEST[kind],
            DELAYED=known is not None,
            FLIP=flip,
            PARTS=triton.next_power_of_2(programs),
            ROWS=tall,
            COLUMNS=across,
            num_warps=8 if flip else 4,
        )
    return codes, scale, flipped, partial


def fp8_remember(partial: torch.Tensor, history: torch.Tensor, known: torch.Tensor, kind: torch.dtype) -> None:
    """`history`: [calls], contiguous, the newest first; `known`: [1]. Both are changed in place."""
    with torch.cuda.device(partial.get_device()):
        fp8_follow[(1,)](
            partial,
            history,
            known,
            partial.numel(),
            history.numel(),
            HEADROOM,
            LARGEST[kind],
            PARTS=triton.next_power_of_2(partial.numel()),
            LENGTH=triton.next_power_of_2(history.numel()),
            num_warps=4,
        )


def _product(a: torch.Tensor, b: torch.Tensor, scales: Any, bias: torch.Tensor | None, fast: bool) -> torch.Tensor:
    """a bᵀ in bf16."""
    one, other = scales
    return torch._scaled_mm(
        a, b.t(), scale_a=one, scale_b=other, bias=bias, out_dtype=torch.bfloat16, use_fast_accum=fast
    )


class FP8ScaledFunction(torch.autograd.Function):
    """`history` and `known`: the largest numbers of past calls, [3, calls], and the scales by them, [3], or None.
    `learns`: whether this call goes into them; `fresh`: whether it goes by its own scales nevertheless.
    """

    @staticmethod
    def forward(ctx, x, weight, bias, backward, history, known, learns, fresh):
        rows, flip = x.reshape(-1, x.shape[-1]), backward == "fp8"
        ctx.delays = history, known, learns, fresh
        x8, x_scale, x_flipped = FP8ScaledFunction.quantize(ctx, rows, X, flip)
        w8, w_scale, w_flipped = FP8ScaledFunction.quantize(ctx, weight, WEIGHT, flip)
        ctx.save_for_backward(*((x_flipped, w_flipped, x_scale, w_scale) if flip else (rows, weight)))
        ctx.flip, ctx.count = flip, rows.shape[0]
        return _product(x8, w8, (x_scale, w_scale), bias, True).view(*x.shape[:-1], weight.shape[0])

    @staticmethod
    def quantize(ctx, rows, place, flip):
        history, known, learns, fresh = ctx.delays
        kind = torch.float8_e5m2 if place == GRADIENT else torch.float8_e4m3fn
        delayed = None if history is None or fresh else known[place : place + 1]
        codes, scale, flipped, partial = fp8_whole(rows, kind, flip, delayed)
        if history is not None and learns:
            fp8_remember(partial, history[place], known[place : place + 1], kind)
        return codes, scale, flipped

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this FP8 layer has no second derivative; create_graph=True needs PyTorch's operations"
            )
        needs = ctx.needs_input_grad
        flow = dy.reshape(-1, dy.shape[-1])
        dbias = flow.sum(0) if needs[2] else None
        dx, dweight = (FP8ScaledFunction.in_fp8 if ctx.flip else FP8ScaledFunction.in_bf16)(ctx, flow)
        dx = None if dx is None else dx.view(*dy.shape[:-1], dx.shape[1])
        return dx, dweight, dbias, None, None, None, None, None

    @staticmethod
    def in_bf16(ctx, flow):
        rows, weight = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return flow @ weight if needs[0] else None, flow.t() @ rows if needs[1] else None

    @staticmethod
    def in_fp8(ctx, flow):
        x_flipped, w_flipped, x_scale, w_scale = ctx.saved_tensors
        needs = ctx.needs_input_grad
        codes, scale, flipped = FP8ScaledFunction.quantize(ctx, flow, GRADIENT, True)
        dx = _product(codes, w_flipped, (scale, w_scale), None, False) if needs[0] else None
        return dx, _product(flipped, x_flipped, (scale, x_scale), None, False) if needs[1] else None


def fused_fp8_scaled_linear(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None, backward: str = "bf16"
) -> torch.Tensor:
    _check(backward)
    return FP8ScaledFunction.apply(x, weight, bias, backward, None, None, False, False)


def _check(backward: str) -> None:
    if backward not in ("bf16", "fp8"):
        raise ValueError(f"FP8 linear layer: backward={backward!r} is none of bf16, fp8")


class DelayedFP8Linear(torch.nn.Linear):
    """A linear layer with delayed scales, in buffers. The first `HISTORY` training calls go by their own scales; calls
    in eval mode use the scales and do not change them, or, before any training, go by their own. Under `torch.compile`
    each of the first calls is a graph of its own: compile after them.

    What `fp8_linear_fits` refuses is computed as by torch.nn.Linear.
    """

    amax_history: torch.Tensor
    scales: torch.Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool = True, backward: str = "bf16", **kind: Any):
        _check(backward)
        super().__init__(in_features, out_features, bias, **kind)
        self.backward_kind = backward
        device = self.weight.device
        self.register_buffer("amax_history", torch.zeros(3, HISTORY, dtype=torch.float32, device=device))
        self.register_buffer("scales", torch.ones(3, dtype=torch.float32, device=device))
        self.calls = 0

    def get_extra_state(self) -> int:
        return self.calls

    def set_extra_state(self, state: int) -> None:
        self.calls = state

    def _apply(self, fn: Any, recurse: bool = True) -> DelayedFP8Linear:
        super()._apply(fn, recurse)
        self.amax_history, self.scales = self.amax_history.float(), self.scales.float()  # in fp32 in any model
        return self

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if not fp8_linear_fits(x, self.weight, self.bias):
            return super().forward(x)
        return self.multiplied(x)

    def multiplied(self, x: torch.Tensor) -> torch.Tensor:
        fresh = self.calls < (HISTORY if self.training else 1)
        self.calls += self.training and self.calls < HISTORY
        return FP8ScaledFunction.apply(
            x, self.weight, self.bias, self.backward_kind, self.amax_history, self.scales, self.training, fresh
        )
