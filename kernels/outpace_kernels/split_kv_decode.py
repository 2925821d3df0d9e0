"""Attention of one query a sequence over a cache of keys and values, split along the cache, in one launch.

    o = softmax(scale q Kᵀ) V  over the first lengths[b] positions; zero where there are none

A program takes the queries that share a head of keys (grouped-query attention), and a part of that head's positions. It
writes the largest score, the sum of shares and the shared values to a workspace, then counts itself at a counter of
that head; the one that comes last merges all parts in their order, so results do not depend on which it was. Scores
are in units of log 2. Parts come from `lengths` on the device: nothing waits for the host.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def split_kv_decode_reference(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor, scale: float | None = None
) -> torch.Tensor:
    """The same in PyTorch, as models spell it out."""
    inside = torch.arange(k.shape[2], device=k.device) < lengths[:, None]
    attended = torch.nn.functional.scaled_dot_product_attention(
        q.unsqueeze(2), k, v, inside[:, None, None], scale=scale, enable_gqa=True
    )
    return torch.where((lengths > 0)[:, None, None], attended.squeeze(2), 0.0)


def split_kv_decode(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor, scale: float | None = None
) -> torch.Tensor:
    """[batch, heads, width], which is `q`'s shape. `k`, `v`: [batch, key heads, capacity, width], where key heads
    divide heads; `lengths`: [batch], positions of the cache that count; `scale`: 1/√width where not given. Has no
    gradient. What `split_kv_decode_fits` refuses is computed by the reference.
    """
    fits = split_kv_decode_fits(q, k, v, lengths)
    return (fused_split_kv_decode if fits else split_kv_decode_reference)(q, k, v, lengths, scale)


@triton.jit
def split_kv_decode_forward(
    q,
    k,
    v,
    lengths,
    out,
    tops,
    sums,
    parts,
    counter,
    scale,
    key_heads,
    group,
    capacity,
    width,
    q_batch,
    q_head,
    k_batch,
    k_head,
    k_place,
    v_batch,
    v_head,
    v_place,
    SPLITS: tl.constexpr,
    GROUP: tl.constexpr,
    PLACES: tl.constexpr,
    WIDE: tl.constexpr,
    STAGES: tl.constexpr,
):
    scale = tl.cast(scale, tl.float32)
    split, owner = tl.program_id(0), tl.program_id(1).to(tl.int64)
    batch, key_head = owner // key_heads, owner % key_heads
    member, column, place = tl.arange(0, GROUP), tl.arange(0, WIDE), tl.arange(0, PLACES)
    length = tl.minimum(tl.load(lengths + batch), capacity).to(tl.int32)
    share = tl.cdiv(tl.cdiv(length, PLACES), SPLITS) * PLACES
    start, end = split * share, tl.minimum(split * share + share, length)
    within = (member < group)[:, None] & (column < width)[None, :]
    head = key_head * group + member
    query = tl.load(q + batch * q_batch + head[:, None] * q_head + column[None, :], mask=within, other=0.0)
    k += batch * k_batch + key_head * k_head
    v += batch * v_batch + key_head * v_head
    top = tl.full((GROUP,), -float("inf"), tl.float32)
    total = tl.zeros((GROUP,), tl.float32)
    gathered = tl.zeros((GROUP, WIDE), tl.float32)
    for first in tl.range(start, end, PLACES, num_stages=STAGES):
        at = first + place
        inside = (at < end)[:, None] & (column < width)[None, :]
        key = tl.load(k + at.to(tl.int64)[:, None] * k_place + column[None, :], mask=inside, other=0.0)
        value = tl.load(v + at.to(tl.int64)[:, None] * v_place + column[None, :], mask=inside, other=0.0)
        score = tl.where((at < end)[None, :], tl.dot(query, tl.trans(key)) * scale, -float("inf"))
        higher = tl.maximum(top, tl.max(score, axis=1))
        portion = tl.exp2(score - higher[:, None])
        kept = tl.exp2(top - higher)
        total = total * kept + tl.sum(portion, axis=1)
        gathered = tl.dot(portion.to(value.dtype), value, gathered * kept[:, None])
        top = higher
    to = (owner * SPLITS + split) * GROUP + member
    tl.store(tops + to, top)
    tl.store(sums + to, total)
    tl.store(parts + to[:, None] * WIDE + column[None, :], gathered)
    # All threads' parts are written before the count says so; the last to count sees all of them.
    tl.debug_barrier()
    if tl.atomic_add(counter + owner, 1, sem="acq_rel", scope="gpu") == SPLITS - 1:
        part = tl.arange(0, SPLITS)
        for one in range(group):
            come = (owner * SPLITS + part) * GROUP + one
            part_top = tl.load(tops + come, cache_modifier=".cg")
            part_sum = tl.load(sums + come, cache_modifier=".cg")
            values = tl.load(parts + come[:, None] * WIDE + column[None, :], cache_modifier=".cg")
            highest = tl.max(part_top, axis=0)
            # A part without positions has the lowest top; where all are so, there is nothing to scale.
            portion = tl.exp2(part_top - tl.where(highest == -float("inf"), 0.0, highest))
            whole = tl.sum(part_sum * portion, axis=0)
            merged = tl.sum(values * portion[:, None], axis=0) / tl.where(whole > 0, whole, 1.0)
            at = (batch * key_heads * group + key_head * group + one) * width + column
            tl.store(out + at, merged.to(out.dtype.element_ty), mask=column < width)


def split_kv_decode_fits(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, fp16 or bf16, no gradient asked, heads at most 128 wide, at most 64 of
    them to a head of keys, lengths of int32 or int64.
    """
    return (
        all(one.is_cuda and one.device == q.device for one in (q, k, v, lengths))
        and q.dtype in (torch.float16, torch.bfloat16)
        and q.dtype is k.dtype is v.dtype
        and q.dim() == 3
        and k.dim() == 4
        and k.shape == v.shape
        and (q.shape[0], q.shape[2]) == (k.shape[0], k.shape[3])
        and q.numel() > 0
        and k.numel() > 0
        and q.shape[1] % k.shape[1] == 0
        and q.shape[1] // k.shape[1] <= 64
        and q.shape[2] <= 128
        and k.shape[0] * k.shape[1] <= 65535
        and lengths.shape == q.shape[:1]
        and lengths.dtype in (torch.int32, torch.int64)
        and not (torch.is_grad_enabled() and any(one.requires_grad for one in (q, k, v)))
    )


def fused_split_kv_decode(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, lengths: torch.Tensor, scale: float | None = None
) -> torch.Tensor:
    q, k, v = (one.detach() if one.stride(-1) == 1 else one.detach().contiguous() for one in (q, k, v))
    (batch, heads, width), (key_heads, capacity) = q.shape, k.shape[1:3]
    group = max(triton.next_power_of_2(heads // key_heads), 16)
    splits = split_kv_decode_splits(batch * key_heads, capacity, q.device)
    wide = max(triton.next_power_of_2(width), 16)
    tops, sums = (torch.empty(batch * key_heads, splits, group, device=q.device) for _ in range(2))
    parts = torch.empty(batch * key_heads, splits, group, wide, device=q.device)
    counter = torch.zeros(batch * key_heads, dtype=torch.int32, device=q.device)
    out = torch.empty(q.shape, dtype=q.dtype, device=q.device)
    log2_e = 1.4426950408889634
    with torch.cuda.device(q.get_device()):
        split_kv_decode_forward[(splits, batch * key_heads)](
            q,
            k,
            v,
            lengths.contiguous(),
            out,
            tops,
            sums,
            parts,
            counter,
            float(scale if scale is not None else width**-0.5) * log2_e,
            key_heads,
            heads // key_heads,
            capacity,
            width,
            *q.stride()[:2],
            *k.stride()[:3],
            *v.stride()[:3],
            SPLITS=splits,
            GROUP=group,
            PLACES=64,
            WIDE=wide,
            STAGES=3,
            num_warps=4,
        )
    return out


def split_kv_decode_splits(owners, capacity, device):
    """As many parts as give each processor four programs, and no part less than 256 positions of a full cache."""
    processors = torch.cuda.get_device_properties(device).multi_processor_count if device.type == "cuda" else 2
    wanted = min(triton.cdiv(4 * processors, owners), triton.cdiv(capacity, 256), 64)
    return triton.next_power_of_2(max(wanted, 1))
