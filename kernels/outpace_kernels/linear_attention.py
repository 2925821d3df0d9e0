"""Linear attention whose state decays by one number a head and position, in chunks, forward and backward.

    S[t] = exp(decay[t]) S[t-1] + k[t] v[t]ᵀ,  S[-1] = 0        o[t] = S[t]ᵀ q[t]

RetNet has a fixed decay a head; in Mamba-2 decay = Δ A, v = Δ x, k = B and q = C. With c the sum of decays from the
start of a chunk, a chunk adds what its own positions give, and what the state before it gives:

    o[t] = Σ_{s ≤ t} (q[t]·k[s]) exp(c[t] - c[s]) v[s]  +  exp(c[t]) S_beforeᵀ q[t]

One kernel walks over chunks and writes the state before each; another computes all chunks at once. Backward does the
same from the end with the state's gradient. The decay's gradient is summed where the products are, from numbers of one
kind at a time: pairs within the chunk, what enters it, what leaves it, and what passes through.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

CHUNK = 64
"""Positions at once: products of 64 fill the tensor cores, and pairs within a chunk cost less than its states."""


def linear_attention_reference(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
    """The same in PyTorch, as models spell it out: chunks as a dimension, and states between them by one product."""
    kind, wide = v.dtype, torch.promote_types(v.dtype, torch.float32)
    length = q.shape[1]
    rest = -length % CHUNK
    pad = torch.nn.functional.pad
    q, k, v = (pad(one, (0, 0, 0, 0, 0, rest)).unflatten(1, (-1, CHUNK)).transpose(2, 3) for one in (q, k, v))
    total = pad(decay.to(wide), (0, 0, 0, rest)).unflatten(1, (-1, CHUNK)).transpose(2, 3).cumsum(-1)
    steps = torch.arange(CHUNK, device=q.device)
    past = steps[:, None] >= steps
    apart = (total[..., :, None] - total[..., None, :]).masked_fill(~past, -float("inf"))
    own = ((q @ k.transpose(-1, -2)) * apart.exp()).to(kind) @ v
    last = total[..., -1:]
    made = (k * (last - total).exp().unsqueeze(-1).to(kind)).transpose(-1, -2) @ v
    through = pad(last.squeeze(-1), (0, 0, 1, 0))[:, :-1].cumsum(1)
    ended = last.squeeze(-1).cumsum(1)
    spans = through[:, :, None] - ended[:, None]
    chunks = torch.arange(spans.shape[1], device=q.device)
    spans = spans.masked_fill((chunks[:, None] <= chunks)[..., None], -float("inf"))
    before = torch.einsum("bcsh,bshkv->bchkv", spans.exp(), made.to(wide)).to(kind)
    out = own + (q * total.exp().unsqueeze(-1).to(kind)) @ before
    return out.transpose(2, 3).flatten(1, 2)[:, :length].to(kind)


def linear_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
    """Of v's shape and dtype. `q`, `k`: [batch, length, heads, width]; `v`: [batch, length, heads, any width]; `decay`:
    [batch, length, heads], at most zero. Heads that share queries or keys pass them expanded. What
    `linear_attention_fits` refuses is computed by the reference.
    """
    fits = linear_attention_fits(q, k, v, decay)
    return (fused_linear_attention if fits else linear_attention_reference)(q, k, v, decay)


@triton.jit
def linear_attention_tile(at, row, column, rows, columns, place):
    """[rows, columns] of a matrix with dense rows `place` apart; zero outside it."""
    inside = (row[:, None] < rows) & (column[None, :] < columns)
    return tl.load(at + row[:, None].to(tl.int64) * place + column[None, :], mask=inside, other=0.0)


@triton.jit
def linear_attention_states(
    one,
    two,
    decay,
    states,
    length,
    heads,
    width,
    v_width,
    one_batch,
    one_place,
    one_head,
    two_batch,
    two_place,
    two_head,
    REVERSE: tl.constexpr,
    CHUNK: tl.constexpr,
    WIDE: tl.constexpr,
    V_BLOCK: tl.constexpr,
):
    """The state before each chunk, from k and v; reversed, the gradient of the state after it, from q and do."""
    batch, head = tl.program_id(2).to(tl.int64) // heads, tl.program_id(2).to(tl.int64) % heads
    row, depth = tl.arange(0, CHUNK), tl.program_id(1) * WIDE + tl.arange(0, WIDE)
    column = tl.program_id(0) * V_BLOCK + tl.arange(0, V_BLOCK)
    one += batch * one_batch + head * one_head
    two += batch * two_batch + head * two_head
    decay += batch * length * heads + head
    chunks = tl.cdiv(length, CHUNK)
    states += (batch * heads + head) * chunks * width * v_width
    inside = (depth < width)[:, None] & (column < v_width)[None, :]
    cell = depth[:, None] * v_width + column[None, :]
    state = tl.zeros((WIDE, V_BLOCK), tl.float32)
    for turn in range(chunks):
        chunk = chunks - 1 - turn if REVERSE else turn
        time = chunk * CHUNK + row
        to = states + chunk.to(tl.int64) * width * v_width + cell
        tl.store(to, state.to(states.dtype.element_ty), mask=inside)
        step = tl.load(decay + time.to(tl.int64) * heads, mask=time < length, other=0.0).to(tl.float32)
        total = tl.cumsum(step, axis=0)
        last = tl.sum(step, axis=0)
        share = tl.exp(total) if REVERSE else tl.exp(last - total)
        first = linear_attention_tile(one, time, depth, length, width, one_place)
        second = linear_attention_tile(two, time, column, length, v_width, two_place)
        first = (first.to(tl.float32) * share[:, None]).to(second.dtype)
        state = tl.dot(tl.trans(first), second, state * tl.exp(last))


@triton.jit
def linear_attention_forward(
    q,
    k,
    v,
    decay,
    states,
    out,
    length,
    heads,
    width,
    v_width,
    q_batch,
    q_place,
    q_head,
    k_batch,
    k_place,
    k_head,
    v_batch,
    v_place,
    v_head,
    CHUNK: tl.constexpr,
    WIDE: tl.constexpr,
    V_BLOCK: tl.constexpr,
):
    batch, head = tl.program_id(2).to(tl.int64) // heads, tl.program_id(2).to(tl.int64) % heads
    row, depth = tl.arange(0, CHUNK), tl.arange(0, WIDE)
    time, column = tl.program_id(1) * CHUNK + row, tl.program_id(0) * V_BLOCK + tl.arange(0, V_BLOCK)
    step = tl.load(decay + batch * length * heads + head + time.to(tl.int64) * heads, mask=time < length, other=0.0).to(
        tl.float32
    )
    total = tl.cumsum(step, axis=0)
    query = linear_attention_tile(q + batch * q_batch + head * q_head, time, depth, length, width, q_place)
    key = linear_attention_tile(k + batch * k_batch + head * k_head, time, depth, length, width, k_place)
    value = linear_attention_tile(v + batch * v_batch + head * v_head, time, column, length, v_width, v_place)
    states += ((batch * heads + head) * tl.num_programs(1) + tl.program_id(1)) * width * v_width
    before = linear_attention_tile(states, depth, column, width, v_width, v_width)
    apart = tl.where(row[:, None] >= row[None, :], total[:, None] - total[None, :], -float("inf"))
    pairs = tl.dot(query, tl.trans(key)) * tl.exp(apart)
    result = tl.dot(query, before) * tl.exp(total)[:, None]
    result = tl.dot(pairs.to(value.dtype), value, result)
    at = ((batch * length + time.to(tl.int64)) * heads + head)[:, None] * v_width + column[None, :]
    tl.store(out + at, result.to(out.dtype.element_ty), mask=(time < length)[:, None] & (column < v_width)[None, :])


@triton.jit
def linear_attention_backward(
    q,
    k,
    v,
    decay,
    states,
    flows,
    dy,
    dq,
    dk,
    dv,
    ddecay,
    length,
    heads,
    width,
    v_width,
    q_batch,
    q_place,
    q_head,
    k_batch,
    k_place,
    k_head,
    v_batch,
    v_place,
    v_head,
    CHUNK: tl.constexpr,
    WIDE: tl.constexpr,
    V_BLOCK: tl.constexpr,
):
    batch, head = tl.program_id(1).to(tl.int64) // heads, tl.program_id(1).to(tl.int64) % heads
    row, depth = tl.arange(0, CHUNK), tl.arange(0, WIDE)
    time = tl.program_id(0) * CHUNK + row
    place = (batch * length + time.to(tl.int64)) * heads + head
    step = tl.load(decay + place, mask=time < length, other=0.0).to(tl.float32)
    total = tl.cumsum(step, axis=0)
    last = tl.sum(step, axis=0)
    query = linear_attention_tile(q + batch * q_batch + head * q_head, time, depth, length, width, q_place)
    key = linear_attention_tile(k + batch * k_batch + head * k_head, time, depth, length, width, k_place)
    v += batch * v_batch + head * v_head
    dy += (batch * length * heads + head) * v_width
    past = row[:, None] >= row[None, :]
    weight = tl.exp(tl.where(past, total[:, None] - total[None, :], -float("inf")))
    pairs = tl.dot(query, tl.trans(key)) * weight
    of_state = ((batch * heads + head) * tl.num_programs(0) + tl.program_id(0)) * width * v_width
    met = tl.zeros((CHUNK, CHUNK), tl.float32)
    query_flow, key_flow = tl.zeros((CHUNK, WIDE), tl.float32), tl.zeros((CHUNK, WIDE), tl.float32)
    passed = tl.zeros((WIDE,), tl.float32)
    leaving = tl.exp(last - total)
    for start in range(0, v_width, V_BLOCK):
        column = start + tl.arange(0, V_BLOCK)
        value = linear_attention_tile(v, time, column, length, v_width, v_place)
        flow = linear_attention_tile(dy, time, column, length, v_width, heads * v_width)
        before = linear_attention_tile(states + of_state, depth, column, width, v_width, v_width)
        after = linear_attention_tile(flows + of_state, depth, column, width, v_width, v_width)
        met = tl.dot(flow, tl.trans(value), met)
        query_flow = tl.dot(flow, tl.trans(before), query_flow)
        key_flow = tl.dot(value, tl.trans(after), key_flow)
        value_flow = tl.dot(key, after) * leaving[:, None]
        value_flow = tl.dot(tl.trans(pairs.to(flow.dtype)), flow, value_flow)
        passed += tl.sum(before.to(tl.float32) * after.to(tl.float32), axis=1)
        to = dv + place[:, None] * v_width + column[None, :]
        inside = (time < length)[:, None] & (column < v_width)[None, :]
        tl.store(to, value_flow.to(dv.dtype.element_ty), mask=inside)
    query_flow *= tl.exp(total)[:, None]
    key_flow *= leaving[:, None]
    # Each position's part of d(cumulative decay); with itself a position has no decay between.
    strict = tl.where(row[:, None] > row[None, :], met * pairs, 0.0)
    within = tl.sum(strict, axis=1) - tl.sum(strict, axis=0)
    entered = tl.sum(query_flow * query.to(tl.float32), axis=1)
    left = tl.sum(key_flow * key.to(tl.float32), axis=1)
    later = (within + entered)[:, None] * tl.where(past, 1.0, 0.0)
    earlier = left[:, None] * tl.where(row[:, None] < row[None, :], 1.0, 0.0)
    through = tl.sum(passed, axis=0) * tl.exp(last)
    decay_flow = tl.sum(later, axis=0) + tl.sum(earlier, axis=0) + through
    tl.store(ddecay + place, decay_flow.to(ddecay.dtype.element_ty), mask=time < length)
    met = (met * weight).to(query.dtype)
    query_flow = tl.dot(met, key, query_flow)
    key_flow = tl.dot(tl.trans(met), query, key_flow)
    inside = (time < length)[:, None] & (depth < width)[None, :]
    to = place[:, None] * width + depth[None, :]
    tl.store(dq + to, query_flow.to(dq.dtype.element_ty), mask=inside)
    tl.store(dk + to, key_flow.to(dk.dtype.element_ty), mask=inside)


class LinearAttentionFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, q, k, v, decay):
        q, k, v = (one if one.stride(-1) == 1 else one.contiguous() for one in (q, k, v))
        decay = decay.contiguous()
        states = LinearAttentionFunction.states(k, v, decay, False)
        out = torch.empty(v.shape, dtype=v.dtype, device=v.device)
        sizes, settings = linear_attention_launch(q, v)
        grid = triton.cdiv(v.shape[3], settings["V_BLOCK"]), triton.cdiv(q.shape[1], CHUNK), q.shape[0] * q.shape[2]
        with torch.cuda.device(q.get_device()):
            linear_attention_forward[grid](
                q, k, v, decay, states, out, *sizes, *q.stride()[:3], *k.stride()[:3], *v.stride()[:3], **settings
            )
        ctx.save_for_backward(q, k, v, decay, states)
        return out

    @staticmethod
    def backward(ctx, dy):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this attention has no second derivative; create_graph=True needs PyTorch's operations"
            )
        q, k, v, decay, states = ctx.saved_tensors
        dy = dy.contiguous()
        flows = LinearAttentionFunction.states(q, dy, decay, True)
        dq, dk, dv, ddecay = (torch.empty(one.shape, dtype=one.dtype, device=q.device) for one in (q, k, v, decay))
        sizes, settings = linear_attention_launch(q, v)
        settings |= {"V_BLOCK": min(settings["V_BLOCK"], 32 if q.shape[3] > 64 else 64), "num_warps": 8}
        with torch.cuda.device(q.get_device()):
            linear_attention_backward[(triton.cdiv(q.shape[1], CHUNK), q.shape[0] * q.shape[2])](
                q,
                k,
                v,
                decay,
                states,
                flows,
                dy,
                dq,
                dk,
                dv,
                ddecay,
                *sizes,
                *q.stride()[:3],
                *k.stride()[:3],
                *v.stride()[:3],
                **settings,
            )
        return dq, dk, dv, ddecay

    @staticmethod
    def states(one, two, decay, reverse):
        """[batch, heads, chunks, width, v_width], in the dtype that products take."""
        batch, length, heads, width = one.shape
        shape = batch, heads, triton.cdiv(length, CHUNK), width, two.shape[3]
        states = torch.empty(shape, dtype=two.dtype, device=two.device)
        sizes, settings = linear_attention_launch(one, two)
        settings |= {"WIDE": min(settings["WIDE"], 64), "REVERSE": reverse, "num_stages": 3}
        grid = triton.cdiv(shape[4], settings["V_BLOCK"]), triton.cdiv(width, settings["WIDE"]), batch * heads
        with torch.cuda.device(one.get_device()):
            linear_attention_states[grid](
                one, two, decay, states, *sizes, *one.stride()[:3], *two.stride()[:3], **settings
            )
        return states


def linear_attention_launch(q, v):
    settings = {
        "CHUNK": CHUNK,
        "WIDE": max(triton.next_power_of_2(q.shape[3]), 16),
        "V_BLOCK": min(max(triton.next_power_of_2(v.shape[3]), 16), 64),
        "num_warps": 4,
    }
    return (*q.shape[1:], v.shape[3]), settings


def linear_attention_fits(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, decay: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, q, k and v fp16 or bf16, decay one of these or fp32, not empty, q and
    k at most 128 wide.
    """
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    return (
        all(one.is_cuda and one.device == q.device and one.dtype in kinds for one in (q, k, v, decay))
        and q.dtype is k.dtype is v.dtype
        and v.dtype is not torch.float32
        and q.dim() == v.dim() == 4
        and q.shape == k.shape
        and q.shape[:3] == v.shape[:3] == decay.shape
        and q.numel() > 0
        and v.numel() > 0
        and q.shape[3] <= 128
        and q.shape[0] * q.shape[2] <= 65535
        and q.shape[1] <= 65535 * CHUNK
    )


def fused_linear_attention(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, decay: torch.Tensor) -> torch.Tensor:
    return LinearAttentionFunction.apply(q, k, v, decay)
