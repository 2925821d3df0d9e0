"""Rows of a table of hashed n-grams: bigrams or trigrams of tokens, keys computed where the rows are gathered.

    bigram   fmix(prev1 vocabulary + cur) mod rows
    trigram  fmix(fmix(prev1 vocabulary + cur) xor prev2 0x9e3779b1) mod rows

All modulo 2³², with fmix the finaliser of MurmurHash3. Before the first position of a sequence is token 0. A key sees
no later token. A program computes the keys of a few positions once, and copies their rows.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl


def ngram_keys(tokens: torch.Tensor, rows: int, vocabulary: int, order: int) -> torch.Tensor:
    """[batch, length] of int64, in PyTorch, which has no unsigned product of 32 bits."""
    low = 0xFFFFFFFF

    def mixed(key: torch.Tensor) -> torch.Tensor:
        key = (key ^ (key >> 16)) * 0x85EBCA6B & low
        key = (key ^ (key >> 13)) * 0xC2B2AE35 & low
        return key ^ (key >> 16)

    tokens = tokens.long()
    before = torch.nn.functional.pad(tokens, (order - 1, 0))
    length = tokens.shape[1]
    key = mixed((before[:, order - 2 : order - 2 + length] * vocabulary + tokens) & low)
    if order == 3:
        key = mixed(key ^ (before[:, :length] * 0x9E3779B1 & low))
    return key % rows


def ngram_gather_reference(
    tokens: torch.Tensor, table: torch.Tensor, vocabulary: int, order: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same in PyTorch, as models spell it out."""
    keys = ngram_keys(tokens, table.shape[0], vocabulary, order)
    return torch.nn.functional.embedding(keys, table), keys


def ngram_gather(
    tokens: torch.Tensor, table: torch.Tensor, vocabulary: int, order: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    """(rows [batch, length, width] of the table's dtype, keys [batch, length] of int64). `tokens`: [batch, length],
    below `vocabulary`; `table`: [rows, width]; `order`: 2 or 3. The table's gradient is dense; for a large table leave
    it out of autograd, and use `touched_rows`. What `ngram_gather_fits` refuses is computed by the reference.
    """
    if order not in (2, 3):
        raise ValueError(f"ngram_gather: order {order} is neither 2 nor 3")
    fits = ngram_gather_fits(tokens, table)
    return (fused_ngram_gather if fits else ngram_gather_reference)(tokens, table, vocabulary, order)


@triton.jit
def ngram_mixed(key):
    key = (key ^ (key >> 16)) * 0x85EBCA6B
    key = (key ^ (key >> 13)) * 0xC2B2AE35
    return key ^ (key >> 16)


@triton.jit
def ngram_gather_forward(
    tokens,
    table,
    out,
    keys,
    count,
    length,
    width,
    rows,
    vocabulary,
    TRIGRAM: tl.constexpr,
    PLACES: tl.constexpr,
    COLUMNS: tl.constexpr,
):
    place = tl.program_id(0).to(tl.int64) * PLACES + tl.arange(0, PLACES)
    within = place < count
    column = tl.program_id(1) * COLUMNS + tl.arange(0, COLUMNS)
    time = place % length
    current = tl.load(tokens + place, mask=within, other=0).to(tl.uint32)
    before = tl.load(tokens + place - 1, mask=within & (time > 0), other=0).to(tl.uint32)
    key = ngram_mixed(before * tl.cast(vocabulary, tl.uint32) + current)
    if TRIGRAM:
        earlier = tl.load(tokens + place - 2, mask=within & (time > 1), other=0).to(tl.uint32)
        key = ngram_mixed(key ^ (earlier * 0x9E3779B1))
    key = (key % tl.cast(rows, tl.uint32)).to(tl.int64)
    if tl.program_id(1) == 0:
        tl.store(keys + place, key, mask=within)
    inside = within[:, None] & (column < width)[None, :]
    value = tl.load(table + key[:, None] * width + column[None, :], mask=inside, other=0.0)
    tl.store(out + place[:, None] * width + column[None, :], value, mask=inside)


class NgramGatherFunction(torch.autograd.Function):
    @staticmethod
    def forward(ctx, tokens, table, vocabulary, order):
        tokens, table = tokens.contiguous(), table.contiguous()
        (rows, width), count = table.shape, tokens.numel()
        out = torch.empty(*tokens.shape, width, dtype=table.dtype, device=table.device)
        keys = torch.empty(tokens.shape, dtype=torch.int64, device=table.device)
        # 768 is three blocks of 256, which leave no lane idle.
        columns = min(width & -width if width % 128 == 0 else triton.next_power_of_2(width), 1024)
        places = max(8192 // columns, 1)
        with torch.cuda.device(table.get_device()):
            ngram_gather_forward[(triton.cdiv(count, places), triton.cdiv(width, columns))](
                tokens,
                table,
                out,
                keys,
                count,
                tokens.shape[1],
                width,
                rows,
                vocabulary,
                TRIGRAM=order == 3,
                PLACES=places,
                COLUMNS=columns,
                num_warps=8,
            )
        ctx.rows = rows
        ctx.mark_non_differentiable(keys)
        ctx.save_for_backward(keys)
        return out, keys

    @staticmethod
    def backward(ctx, dy, _):
        if torch.is_grad_enabled() and not torch.compiler.is_compiling():
            raise NotImplementedError(
                "this gather has no second derivative; create_graph=True needs PyTorch's operations"
            )
        (keys,) = ctx.saved_tensors
        return None, torch.ops.aten.embedding_dense_backward(dy, keys, ctx.rows, -1, False), None, None


def ngram_gather_fits(tokens: torch.Tensor, table: torch.Tensor) -> bool:
    """Whether the kernel takes them: on one GPU, tokens of int32 or int64, a table of fp32, fp16 or bf16, not empty, of
    less than 2³¹ rows.
    """
    return (
        tokens.is_cuda
        and table.device == tokens.device
        and tokens.dtype in (torch.int32, torch.int64)
        and table.dtype in (torch.float32, torch.float16, torch.bfloat16)
        and tokens.dim() == table.dim() == 2
        and tokens.numel() > 0
        and table.numel() > 0
        and table.shape[0] < 2**31
    )


def fused_ngram_gather(
    tokens: torch.Tensor, table: torch.Tensor, vocabulary: int, order: int = 2
) -> tuple[torch.Tensor, torch.Tensor]:
    return NgramGatherFunction.apply(tokens, table, vocabulary, order)
