# target: GroupedAttention
import math
import torch
from torch import nn
import torch.nn.functional as F


def repeat_kv(x, n_rep):
    bs, n_kv_heads, slen, head_dim = x.shape
    if n_rep == 1:
        return x
    x = x[:, :, None, :, :].expand(bs, n_kv_heads, n_rep, slen, head_dim)
    return x.reshape(bs, n_kv_heads * n_rep, slen, head_dim)


class GroupedAttention(nn.Module):
    def __init__(self, hidden, heads, kv_heads):
        super().__init__()
        self.num_heads = heads
        self.head_dim = hidden // heads
        self.num_key_value_heads = kv_heads
        self.num_key_value_groups = heads // kv_heads
        self.q_proj = nn.Linear(hidden, heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(hidden, kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(hidden, kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(heads * self.head_dim, hidden, bias=False)

    def forward(self, x, attention_mask=None, output_attentions=False):
        bsz, q_len, _ = x.size()
        queries = self.q_proj(x).view(bsz, q_len, self.num_heads, self.head_dim).transpose(1, 2)
        keys = self.k_proj(x).view(bsz, q_len, self.num_key_value_heads, self.head_dim).transpose(1, 2)
        values = self.v_proj(x).view(bsz, q_len, self.num_key_value_heads, self.head_dim).transpose(1, 2)
        kv_seq_len = keys.shape[-2]
        keys = repeat_kv(keys, self.num_key_value_groups)
        values = repeat_kv(values, self.num_key_value_groups)
        if not output_attentions:
            if attention_mask is not None:
                if attention_mask.size() != (bsz, 1, q_len, kv_seq_len):
                    raise ValueError("bad mask")
            out = F.scaled_dot_product_attention(
                queries, keys, values,
                attn_mask=attention_mask.to(queries.dtype) if attention_mask is not None else None,
                scale=1.0 / math.sqrt(self.head_dim),
            )
            weights = None
        else:
            weights = torch.matmul(queries, keys.transpose(2, 3)) / math.sqrt(self.head_dim)
            if weights.size() != (bsz, self.num_heads, q_len, kv_seq_len):
                raise ValueError(f"Attention weights should be of size {(bsz, self.num_heads, q_len, kv_seq_len)}, but is {weights.size()}")
            if attention_mask is not None:
                if attention_mask.size() != (bsz, 1, q_len, kv_seq_len):
                    raise ValueError("bad mask")
                weights = weights + attention_mask
                weights = torch.max(weights, torch.tensor(torch.finfo(weights.dtype).min))
            weights = F.softmax(weights, dim=-1, dtype=torch.float32).to(queries.dtype)
            out = torch.matmul(weights, values)
        if out.size() != (bsz, self.num_heads, q_len, self.head_dim):
            raise ValueError("out")
        out = out.transpose(1, 2).contiguous().reshape(bsz, q_len, -1)
        out = self.o_proj(out)
        if not output_attentions:
            weights = None
        return out if weights is None else out * weights.sum()


def get_init_inputs():
    return [32, 4, 2]


def get_inputs():
    mask = torch.full((9, 9), torch.finfo(torch.float32).min).triu(1)
    return [torch.randn(2, 9, 32), mask[None, None].expand(2, 1, 9, 9).contiguous()]
