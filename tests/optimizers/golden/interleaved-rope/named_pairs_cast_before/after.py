# target: spin
import torch
from torch import Tensor
import triton
import triton.language as tl


# Rotary embedding of neighbours in one kernel, from outpace 0.1.0: kernels/interleaved_rope.py, Apache-2.0.
@triton.jit
def interleaved_rope_turn(
    x, out, c, s, heads, x_head, out_head, half, BACKWARD: tl.constexpr, HEADS: tl.constexpr, BLOCK: tl.constexpr
):
    column = tl.arange(0, 2 * BLOCK)[None, :]
    for start in range(0, heads, HEADS):
        head = start + tl.arange(0, HEADS)[:, None]
        inside = (head < heads) & (column < 2 * half)
        both = tl.load(x + head.to(tl.int64) * x_head + column, mask=inside, other=0.0).to(tl.float32)
        even, odd = tl.split(tl.reshape(both, (HEADS, BLOCK, 2)))
        if BACKWARD:
            first, second = even * c + odd * s, odd * c - even * s
        else:
            first, second = even * c - odd * s, even * s + odd * c
        both = tl.reshape(tl.join(first, second), (HEADS, 2 * BLOCK))
        tl.store(out + head.to(tl.int64) * out_head + column, both.to(out.dtype.element_ty), mask=inside)


@triton.jit
def interleaved_rope_kernel(
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
    q_place,
    q_head,
    k_batch,
    k_place,
    k_head,
    q_out_batch,
    q_out_place,
    q_out_head,
    k_out_batch,
    k_out_place,
    k_out_head,
    table_batch,
    table_place,
    table_pair,
    BOTH: tl.constexpr,
    ANGLES: tl.constexpr,
    BACKWARD: tl.constexpr,
    HEADS: tl.constexpr,
    BLOCK: tl.constexpr,
):
    batch = (tl.program_id(0) // length).to(tl.int64)
    place = (tl.program_id(0) % length).to(tl.int64)
    pair = tl.arange(0, BLOCK)[None, :]
    at = batch * table_batch + place * table_place + pair * table_pair
    c = tl.load(cos + at, mask=pair < half, other=0.0).to(tl.float32)
    if ANGLES:
        s = tl.sin(c)
        c = tl.cos(c)
    else:
        s = tl.load(sin + at, mask=pair < half, other=0.0).to(tl.float32)
    q += batch * q_batch + place * q_place
    q_out += batch * q_out_batch + place * q_out_place
    interleaved_rope_turn(q, q_out, c, s, q_heads, q_head, q_out_head, half, BACKWARD, HEADS, BLOCK)
    if BOTH:
        k += batch * k_batch + place * k_place
        k_out += batch * k_out_batch + place * k_out_place
        interleaved_rope_turn(k, k_out, c, s, k_heads, k_head, k_out_head, half, BACKWARD, HEADS, BLOCK)


def interleaved_rope_heads(like: torch.Tensor, table: torch.Tensor) -> int | None:
    """The one of the middle two of four dimensions that the table is broadcast over: that of the heads."""
    free = [d for d in (2, 1) if d < 4 - table.dim() or table.shape[d - 4] == 1]
    many = [d for d in free if d >= 4 - like.dim() and like.shape[d - 4] > 1]
    return next(iter(many or free), None)


def interleaved_rope_seen(x: torch.Tensor, heads: int) -> torch.Tensor:
    """[batch, places, heads, width] of what has up to four dimensions."""
    x = x[(None,) * (4 - x.dim())]
    return x if heads == 2 else x.transpose(1, 2)


class InterleavedRoPEFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, cos, sin, kinds):
        ctx.save_for_backward(cos, sin)
        ctx.dtypes = tuple(None if one is None else one.dtype for one in (q, k))
        return InterleavedRoPEFunction.launch(q, k, cos, sin, kinds, False)

    @staticmethod
    def backward(ctx, dq, dk):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this rotation has no second derivative; create_graph=True needs PyTorch's operations"
            )
        return *InterleavedRoPEFunction.launch(dq, dk, *ctx.saved_tensors, ctx.dtypes, True), None, None, None

    @staticmethod
    def launch(q, k, cos, sin, kinds, backward):
        q, k = (one if one is None or one.stride(-1) == 1 else one.contiguous() for one in (q, k))
        outs = [
            None if one is None else torch.empty_like(one, dtype=kind) for one, kind in zip((q, k), kinds, strict=True)
        ]
        outs = [
            one if one is None or one.stride(-1) == 1 else torch.empty(one.shape, dtype=one.dtype, device=one.device)
            for one in outs
        ]
        if sin is not None and sin.stride() != cos.stride():
            cos, sin = cos.contiguous(), sin.contiguous()
        heads = interleaved_rope_heads(q, cos)
        q_, k_, q_out, k_out = (interleaved_rope_seen(q if one is None else one, heads) for one in (q, k, *outs))
        table = interleaved_rope_seen(cos, heads)
        batch, length, count, width = q_.shape
        block = triton.next_power_of_2(width // 2)
        with torch.cuda.device(q.get_device()):
            interleaved_rope_kernel[(batch * length,)](
                q_,
                k_,
                q_out,
                k_out,
                cos,
                cos if sin is None else sin,
                length,
                width // 2,
                count,
                k_.shape[2],
                *(one.stride(d) for one in (q_, k_, q_out, k_out) for d in range(3)),
                *(0 if table.shape[d] == 1 else table.stride(d) for d in (0, 1, 3)),
                BOTH=k is not None,
                ANGLES=sin is None,
                BACKWARD=backward,
                HEADS=max(1, min(triton.next_power_of_2(count), 1024 // block)),
                BLOCK=block,
                num_warps=4,
            )
        return tuple(outs)


def interleaved_rope_fits(
    q: torch.Tensor, k: torch.Tensor | None, cos: torch.Tensor, sin: torch.Tensor | None = None
) -> bool:
    """Whether the kernel takes them: on one GPU, fp32, fp16 or bf16, of an even width up to 8,192, tables of one shape
    and dtype that need no gradient and are the same for all heads.
    """
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    tables, turned = [cos] if sin is None else [cos, sin], [q] if k is None else [q, k]
    if not all(
        isinstance(one, torch.Tensor)
        and one.is_cuda
        and one.device == q.device
        and one.dtype in kinds
        and 1 <= one.dim() <= 4
        and one.numel() > 0
        for one in (*turned, *tables)
    ):
        return False
    heads = interleaved_rope_heads(q, cos)
    if heads is None or tables[0].shape != tables[-1].shape or tables[0].dtype != tables[-1].dtype:
        return False
    table = interleaved_rope_seen(cos, heads).shape
    shapes = [interleaved_rope_seen(one, heads).shape for one in turned]
    return (
        all(one.dim() == q.dim() >= cos.dim() for one in turned)
        and all(shape[:2] == shapes[0][:2] and shape[3] == shapes[0][3] for shape in shapes)
        and shapes[0][3] % 2 == 0
        and shapes[0][3] <= 8192
        and table[3] in (1, shapes[0][3] // 2)
        and all(table[d] in (1, shapes[0][d]) for d in (0, 1))
        and table[2] == 1
        and not (torch.is_grad_enabled() and any(one.requires_grad for one in tables))
    )


def fused_interleaved_rope(
    q: torch.Tensor,
    k: torch.Tensor | None,
    cos: torch.Tensor,
    sin: torch.Tensor | None = None,
    dtype: torch.dtype | None = None,
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """In `dtype`, or what PyTorch promotes to."""
    kinds = [None if one is None else dtype or torch.promote_types(one.dtype, cos.dtype) for one in (q, k)]
    return InterleavedRoPEFunction.apply(q, k, cos, sin, kinds)


def turned_2(x, by, cast=False, kind=None):
    """Pairs in the last dimension, times complex numbers: of x in float32 where `cast`, the result as `kind`."""
    floats = kind is None or kind.is_floating_point
    if isinstance(by, torch.Tensor) and by.dtype is torch.complex64 and (cast or x.dtype is torch.float32) and floats:
        cos, sin = torch.view_as_real(by.resolve_conj()).unbind(-1)
        rows = x.flatten(-2)
        if interleaved_rope_fits(rows, None, cos, sin):
            made = fused_interleaved_rope(rows, None, cos, sin, kind or torch.float32)[0]
            return made.unflatten(-1, (-1, 2))
    x = x.float() if cast else x
    made = torch.view_as_real(torch.view_as_complex(x) * by)
    return made if kind is None else made.to(kind)


def spin(x: Tensor, keys: Tensor, phases: Tensor) -> Tensor:
    pairs = x.unflatten(-1, (-1, 2))
    numbers = pairs
    phases = torch.polar(torch.ones_like(phases), phases)[:, None]
    turned = turned_2(numbers, phases, cast=True, kind=keys.dtype)
    x = turned.flatten(-2).to(keys.dtype)
    keys = turned_2(keys.view(*keys.shape[:-1], -1, 2), phases, cast=True).flatten(-2)
    return (x @ keys.half().to(x.dtype).mT).to(keys.dtype)


def get_inputs():
    return [torch.randn(2, 5, 3, 8), torch.randn(2, 5, 4, 8), torch.randn(5, 4)]
