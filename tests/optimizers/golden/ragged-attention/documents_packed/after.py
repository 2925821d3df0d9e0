# target: Packed
import torch
import torch.nn as nn
import torch.nn.functional as F


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


class Packed(nn.Module):
    def __init__(self, width: int = 16, heads: int = 2):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)

    def forward(self, x, sizes):
        q, k, v = self.qkv(x).view(x.shape[0], 3, self.heads, -1).unbind(1)
        done = []
        if q.dim() == 3 and k.dim() == 3 and v.dim() == 3:
            done = [ragged_attention(
                q.transpose(0, 1).unsqueeze(0),
                k.permute(1, 0, 2).unsqueeze(0),
                v.transpose(0, 1).unsqueeze(0),
                sizes,
                is_causal=True,
            )[0].transpose(0, 1)]
        else:
            for q_doc, k_doc, v_doc in zip(q.split(sizes), k.split(sizes), v.split(sizes)):
                # documents do not see each other
                q_doc = q_doc.transpose(0, 1)[None]
                seen = F.scaled_dot_product_attention(
                    q_doc, k_doc.permute(1, 0, 2).unsqueeze(0), v_doc.swapaxes(0, 1)[None].contiguous(), is_causal=True
                )
                done.append(seen[0].transpose(0, 1))
        return torch.cat(done).flatten(1)


def get_inputs():
    return [torch.randn(12, 16), [5, 1, 0, 6]]
