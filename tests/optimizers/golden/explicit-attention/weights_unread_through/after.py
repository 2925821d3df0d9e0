# target: DecoderLayer
from typing import Optional
import torch
from torch import nn


def repeat_kv(x: torch.Tensor, n_rep: int) -> torch.Tensor:
    batch, num_key_value_heads, slen, head_dim = x.shape
    if n_rep == 1:
        return x
    x = x[:, :, None, :, :].expand(batch, num_key_value_heads, n_rep, slen, head_dim)
    return x.reshape(batch, num_key_value_heads * n_rep, slen, head_dim)


def attend(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: Optional[torch.Tensor],
    scaling: float,
    dropout: float = 0.0,
    **kwargs,
):
    keys = repeat_kv(key, module.groups)
    values = repeat_kv(value, module.groups)

    if attention_mask is not None:
        causal_mask = attention_mask[:, :, :, : keys.shape[-2]]

    out = nn.functional.scaled_dot_product_attention(
        query, keys, values,
        attn_mask=causal_mask.to(query.dtype) if attention_mask is not None else None,
        dropout_p=dropout if module.training else 0.0,
        scale=scaling,
    )
    out = out.transpose(1, 2).contiguous()

    return out, None


class Attention(nn.Module):
    def __init__(self, hidden, heads, kv_heads):
        super().__init__()
        self.head_dim = hidden // heads
        self.groups = heads // kv_heads
        self.scaling = self.head_dim**-0.5
        self.q_proj = nn.Linear(hidden, heads * self.head_dim, bias=False)
        self.k_proj = nn.Linear(hidden, kv_heads * self.head_dim, bias=False)
        self.v_proj = nn.Linear(hidden, kv_heads * self.head_dim, bias=False)
        self.o_proj = nn.Linear(heads * self.head_dim, hidden, bias=False)

    def forward(self, x, attention_mask=None):
        input_shape = x.shape[:-1]
        hidden_shape = (*input_shape, -1, self.head_dim)
        queries = self.q_proj(x).view(hidden_shape).transpose(1, 2)
        keys = self.k_proj(x).view(hidden_shape).transpose(1, 2)
        values = self.v_proj(x).view(hidden_shape).transpose(1, 2)
        out, weights = attend(
            self, queries, keys, values, attention_mask, scaling=self.scaling, dropout=0.0
        )
        out = out.reshape(*input_shape, -1).contiguous()
        out = self.o_proj(out)
        return out, weights


class DecoderLayer(nn.Module):
    def __init__(self, hidden, heads, kv_heads):
        super().__init__()
        self.self_attn = Attention(hidden, heads, kv_heads)

    def forward(self, x, attention_mask=None):
        residual = x
        x, _ = self.self_attn(x=x, attention_mask=attention_mask)
        return residual + x


def get_init_inputs():
    return [32, 4, 2]


def get_inputs():
    mask = torch.full((9, 9), torch.finfo(torch.float32).min).triu(1)
    return [torch.randn(2, 9, 32), mask[None, None].expand(2, 1, 9, 9).contiguous()]
