# target: tower
import math

import torch


def ragged_attention_fits(q, k, v):
    """Whether one kernel takes all pieces: 16 bits on a GPU, one width, a multiple of 8."""
    return (
        q.is_cuda
        and q.dtype == k.dtype == v.dtype
        and q.dtype in (torch.float16, torch.bfloat16)
        and q.shape == k.shape == v.shape
        and q.shape[-1] % 8 == 0
        and q.shape[-1] <= 256
        and q.numel() > 0
        and not torch.is_autocast_enabled("cuda")
        and torch.cuda.get_device_capability(q.device) >= (8, 0)
    )


def attention_of_all_pieces(q, k, v, sizes, is_causal=False, scale=None):
    """Attention within pieces of these lengths, one after the other in [..., length, width], by FlashAttention,
    to which attention over nested tensors comes as well."""
    ends = torch.tensor([0, *sizes]).cumsum(0, dtype=torch.int32).to(q.device)
    rows = [x.reshape(-1, *x.shape[-2:]).transpose(0, 1) for x in (q, k, v)]
    rows = [x if x.stride(-1) == 1 else x.contiguous() for x in rows]
    longest = max(sizes)
    out = torch.ops.aten._flash_attention_forward(
        *rows, ends, ends, longest, longest, 0.0, is_causal, False, scale=scale
    )[0]
    return out.transpose(0, 1).reshape(q.shape)


def ragged_attention(q, k, v, lengths, **options):
    """Attention within each of the pieces that `lengths` cuts [..., length, width] into."""
    pieces = [one.split(lengths, -2) for one in (q, k, v)]
    if len(pieces[0]) > 1 and ragged_attention_fits(q, k, v):
        sizes = [one.shape[-2] for one in pieces[0] if one.shape[-2]]
        return attention_of_all_pieces(q, k, v, sizes, **options)
    attention = torch.nn.functional.scaled_dot_product_attention
    return torch.cat([attention(*each, **options) for each in zip(*pieces)], -2)


def tower(queries, keys, values, ends):
    sizes = ends.diff().tolist()
    parts_q = torch.split(queries, sizes, dim=2)
    parts_k = torch.split(keys, sizes, dim=2)
    parts_v = torch.split(values, sizes, dim=2)
    outs: list[torch.Tensor] = []
    if queries.dim() == 4 and keys.dim() == 4 and values.dim() == 4:
        outs = [ragged_attention(queries, keys, values, sizes, scale=1.0 / math.sqrt(queries.shape[-1]))]
    else:
        for q, k, v in zip(parts_q, parts_k, parts_v):
            outs.append(torch.nn.functional.scaled_dot_product_attention(
                q, k, v,
                scale=1.0 / math.sqrt(q.shape[-1]),
            ))
    return torch.cat(outs, dim=2) * 2


def get_inputs():
    return [torch.randn(1, 3, 9, 8), torch.randn(1, 3, 9, 8), torch.randn(1, 3, 9, 8), torch.tensor([0, 4, 5, 9])]
