"""An optimizer's step on those rows of a table that a batch has touched; the others are not read.

    g = Σ gradients of the row's occurrences        v[row] ← beta v[row] + (1 - beta) mean g²
    p[row] ← p[row] - rate g / (√(v[row] / (1 - beta^step)) + eps)

That is RMSProp with one second moment a row. Keys are sorted; the first occurrence of each owns its row, and adds up
the others in the order in which they came, so that a step gives the same bits each time. A key that goes beyond a chunk
of 64 occurrences leaves a sum for each chunk, and a second kernel adds those: one hot key does not hold up the others.
Nothing waits for the host: rate and step are read on the device.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl

CHUNK = 64
"""Occurrences that one program adds up at most."""


def touched_rows_reference(
    table: torch.Tensor,
    moments: torch.Tensor,
    keys: torch.Tensor,
    grads: torch.Tensor,
    rate: torch.Tensor,
    step: torch.Tensor,
    beta: float = 0.999,
    eps: float = 1e-10,
) -> None:
    """The same in PyTorch, compacted by a sort, since finding unique keys would wait for the host."""
    wide = torch.promote_types(table.dtype, torch.float32)
    keys, order = torch.sort(keys.flatten(), stable=True)
    grads = grads.flatten(0, -2)[order].to(wide)
    places = torch.arange(keys.numel(), device=keys.device)
    starts = torch.cat((torch.ones_like(keys[:1], dtype=torch.bool), keys[1:] != keys[:-1]))
    slot = starts.cumsum(0) - 1
    summed = torch.zeros_like(grads).index_add_(0, slot, grads)
    owner = torch.zeros_like(keys).scatter_(0, slot, keys)
    # Slots beyond the last are the first once more: they write what it writes.
    used = torch.where(places <= slot[-1], places, 0)
    rows, summed = owner[used], summed[used]
    moment = beta * moments[rows] + (1 - beta) * summed.square().mean(-1).to(moments.dtype)
    root = (moment / -torch.expm1(step * math.log(beta))).sqrt() + eps
    moments.index_copy_(0, rows, moment)
    table.index_copy_(0, rows, (table[rows].to(wide) - rate * summed / root.unsqueeze(-1)).to(table.dtype))


def touched_rows(
    table: torch.Tensor,
    moments: torch.Tensor,
    keys: torch.Tensor,
    grads: torch.Tensor,
    rate: torch.Tensor,
    step: torch.Tensor,
    beta: float = 0.999,
    eps: float = 1e-10,
) -> None:
    """In place, on `table` [rows, width] and `moments` [rows] of fp32. `keys`: [...], rows of the table; `grads`: [...,
    width]; `rate`, `step`: one number each, on the device, step 1 being the first. What `touched_rows_fits` refuses is
    computed by the reference.
    """
    fits = touched_rows_fits(table, moments, keys, grads, rate, step)
    (fused_touched_rows if fits else touched_rows_reference)(table, moments, keys, grads, rate, step, beta, eps)


@triton.jit
def touched_rows_write(table, moments, key, total, rate, correction, width, beta, rest, eps, COLUMNS: tl.constexpr):
    """The row's step, from the sum of its gradients. `rest`: 1 - beta, which fp32 would take from a beta that it had
    rounded, 1.7e-4 off at 0.9999.
    """
    beta, rest, eps = tl.cast(beta, tl.float32), tl.cast(rest, tl.float32), tl.cast(eps, tl.float32)
    column = tl.arange(0, COLUMNS)
    to = table + key.to(tl.int64) * width + column
    old = tl.load(to, mask=column < width, other=0.0).to(tl.float32)
    moment = beta * tl.load(moments + key) + rest * (tl.sum(total * total, axis=0) / width)
    root = tl.sqrt_rn(tl.div_rn(moment, tl.load(correction))) + eps
    tl.store(moments + key, moment)
    tl.store(to, (old - tl.load(rate) * total / root).to(table.dtype.element_ty), mask=column < width)


@triton.jit
def touched_rows_step(
    table,
    moments,
    keys,
    order,
    grads,
    sums,
    rate,
    correction,
    count,
    width,
    beta,
    rest,
    eps,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """One program an occurrence; the first of a key, and the first of a chunk, add up the key's occurrences in the
    chunk. Of a key that reaches beyond it, the sum is kept: where it began before the chunk in sums[chunk, 0], else in
    sums[chunk, 1].
    """
    at = tl.program_id(0)
    lane, column = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    key = tl.load(keys + at)
    began = tl.load(keys + at - 1, mask=at > 0, other=-1) != key
    chunk = at // CHUNK
    if began | (at % CHUNK == 0):
        end = tl.minimum((chunk + 1) * CHUNK, count)
        goes_on = tl.load(keys + end, mask=end < count, other=-1) == key
        total = tl.zeros((COLUMNS,), tl.float32)
        more = at < end
        while more:
            place = at + lane
            same = tl.load(keys + place, mask=place < end, other=-1) == key
            # Not asked of `same`, so that both loads are under way at once.
            source = tl.load(order + place, mask=place < end, other=0)
            inside = same[:, None] & (column < width)[None, :]
            rows = tl.load(grads + source[:, None] * width + column[None, :], mask=inside, other=0.0)
            total += tl.sum(rows.to(tl.float32), axis=0)
            at += ROWS
            more = (at < end) & (tl.max(tl.where(lane == ROWS - 1, same.to(tl.int32), 0), axis=0) > 0)
        if began & (goes_on == 0):
            touched_rows_write(table, moments, key, total, rate, correction, width, beta, rest, eps, COLUMNS)
        else:
            to = sums + (chunk.to(tl.int64) * 2 + began.to(tl.int32)) * width + column
            tl.store(to, total, mask=column < width)


@triton.jit
def touched_rows_join(
    table,
    moments,
    keys,
    sums,
    rate,
    correction,
    count,
    width,
    beta,
    rest,
    eps,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
    CHUNK: tl.constexpr,
):
    """One program a chunk: the key that begins in it and goes on, if there is one, and its sums of later chunks."""
    chunk = tl.program_id(0)
    lane, column = tl.arange(0, ROWS), tl.arange(0, COLUMNS)
    end = (chunk + 1) * CHUNK
    key = tl.load(keys + end - 1, mask=end < count, other=-1)
    goes_on = (end < count) & (tl.load(keys + end, mask=end < count, other=-2) == key)
    before = tl.load(keys + chunk * CHUNK - 1, mask=goes_on & (chunk > 0), other=-1)
    if goes_on & (before != key):
        within = column < width
        total = tl.load(sums + (chunk.to(tl.int64) * 2 + 1) * width + column, mask=within, other=0.0)
        later = chunk + 1
        while tl.load(keys + later * CHUNK, mask=later * CHUNK < count, other=-1) == key:
            place = later + lane
            same = tl.load(keys + place * CHUNK, mask=place * CHUNK < count, other=-1) == key
            at = sums + (place.to(tl.int64) * 2)[:, None] * width + column[None, :]
            total += tl.sum(tl.load(at, mask=same[:, None] & within[None, :], other=0.0), axis=0)
            later += ROWS
        touched_rows_write(table, moments, key, total, rate, correction, width, beta, rest, eps, COLUMNS)


def touched_rows_fits(
    table: torch.Tensor,
    moments: torch.Tensor,
    keys: torch.Tensor,
    grads: torch.Tensor,
    rate: torch.Tensor,
    step: torch.Tensor,
) -> bool:
    """Whether the kernel takes them: on one GPU, contiguous table and moments, fp32, fp16 or bf16, not empty, rows of
    at most 8,192 numbers and less than 2³¹ of them; rate and step of one number.
    """
    kinds = (torch.float32, torch.float16, torch.bfloat16)
    return (
        all(one.is_cuda and one.device == table.device for one in (table, moments, keys, grads, rate, step))
        and table.dtype in kinds
        and grads.dtype in kinds
        and moments.dtype is torch.float32
        and table.dim() == 2
        and table.is_contiguous()
        and moments.is_contiguous()
        and moments.shape == table.shape[:1]
        and keys.dtype in (torch.int32, torch.int64)
        and keys.numel() > 0
        and grads.shape == (*keys.shape, table.shape[1])
        and 0 < table.shape[1] <= 8192
        and table.shape[0] < 2**31
        and rate.numel() == step.numel() == 1
    )


def fused_touched_rows(
    table: torch.Tensor,
    moments: torch.Tensor,
    keys: torch.Tensor,
    grads: torch.Tensor,
    rate: torch.Tensor,
    step: torch.Tensor,
    beta: float = 0.999,
    eps: float = 1e-10,
) -> None:
    # Half the bits are half the passes of the sort.
    ordered, order = torch.sort(keys.flatten().int(), stable=True)
    count, width = keys.numel(), table.shape[1]
    chunks, columns = triton.cdiv(count, CHUNK), triton.next_power_of_2(width)
    sums = torch.empty(chunks, 2, width, dtype=torch.float32, device=table.device)
    with torch.no_grad(), torch.cuda.device(table.get_device()):
        table, grads = table.detach(), grads.detach().contiguous()
        numbers = (
            rate.float(),
            -torch.expm1(step * math.log(beta)).float(),
            count,
            width,
            float(beta),
            1.0 - beta,
            float(eps),
        )
        settings = {"COLUMNS": columns, "CHUNK": CHUNK, "num_warps": min(max(columns // 256, 1), 8)}
        rows = max(min(4096 // columns, 8), 1)
        touched_rows_step[(count,)](table, moments, ordered, order, grads, sums, *numbers, ROWS=rows, **settings)
        if chunks > 1:
            touched_rows_join[(chunks,)](table, moments, ordered, sums, *numbers, ROWS=2 * rows, **settings)
