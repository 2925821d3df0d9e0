"""An optimizer's step on those rows of a table that a batch has touched; the others are not read.

    g = Σ gradients of the row's occurrences        v[row] ← beta v[row] + (1 - beta) mean g²
    p[row] ← p[row] - rate g / (√(v[row] / (1 - beta^step)) + eps)

That is RMSProp with one second moment a row. Keys are sorted; the first occurrence of each owns its row, and adds up
the others in the order in which they came, so that a step gives the same bits each time. Nothing waits for the host:
rate and step are read on the device.
"""

from __future__ import annotations

import math

import torch
import triton
import triton.language as tl


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
def touched_rows_step(
    table,
    moments,
    keys,
    order,
    grads,
    rate,
    correction,
    count,
    width,
    beta,
    eps,
    ROWS: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    at = tl.program_id(0)
    key = tl.load(keys + at)
    if tl.load(keys + at - 1, mask=at > 0, other=-1) != key:
        column, lane = tl.arange(0, COLUMNS), tl.arange(0, ROWS)
        within = column < width
        to = table + key.to(tl.int64) * width + column
        old = tl.load(to, mask=within, other=0.0).to(tl.float32)
        first = tl.load(order + at)
        total = tl.load(grads + first * width + column, mask=within, other=0.0).to(tl.float32)
        at += 1
        while tl.load(keys + at, mask=at < count, other=-1) == key:
            same = tl.load(keys + at + lane, mask=at + lane < count, other=-1) == key
            place = tl.load(order + at + lane, mask=same, other=0)
            more = tl.load(
                grads + place[:, None] * width + column[None, :], mask=same[:, None] & within[None, :], other=0.0
            )
            total += tl.sum(more.to(tl.float32), axis=0)
            at += ROWS
        moment = beta * tl.load(moments + key) + (1 - beta) * (tl.sum(total * total, axis=0) / width)
        root = tl.sqrt_rn(tl.div_rn(moment, tl.load(correction))) + eps
        tl.store(moments + key, moment)
        tl.store(to, (old - tl.load(rate) * total / root).to(table.dtype.element_ty), mask=within)


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
    columns = triton.next_power_of_2(table.shape[1])
    with torch.no_grad(), torch.cuda.device_of(table):
        touched_rows_step[(keys.numel(),)](
            table.detach(),
            moments,
            ordered,
            order,
            grads.detach().contiguous(),
            rate.float(),
            -torch.expm1(step * math.log(beta)).float(),
            keys.numel(),
            table.shape[1],
            float(beta),
            float(eps),
            ROWS=max(min(8192 // columns, 8), 1),
            COLUMNS=columns,
            num_warps=min(max(columns // 256, 1), 8),
        )
