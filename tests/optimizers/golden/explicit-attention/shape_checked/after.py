# target: Attention
import math
from typing import Optional

import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, hidden_size: int, num_heads: int):
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = hidden_size // num_heads
        self.qkv_proj = nn.Linear(hidden_size, 3 * hidden_size, bias=False)

    def forward(self, hidden_states: torch.Tensor, attention_mask: Optional[torch.Tensor] = None):
        bsz, q_len, _ = hidden_states.size()
        qkv = self.qkv_proj(hidden_states).view(bsz, q_len, 3, self.num_heads, self.head_dim)
        query_states, key_states, value_states = qkv.permute(2, 0, 3, 1, 4)

        if attention_mask is not None:
            if attention_mask.size() != (bsz, 1, q_len, q_len):
                raise ValueError(f"Attention mask should be of size {(bsz, 1, q_len, q_len)}")

        # upcast attention to fp32
        attn_output = nn.functional.scaled_dot_product_attention(
            query_states, key_states, value_states,
            attn_mask=attention_mask.to(query_states.dtype) if attention_mask is not None else None,
            scale=1.0 / math.sqrt(self.head_dim),
        )

        if attn_output.size() != (bsz, self.num_heads, q_len, self.head_dim):
            raise ValueError(f"`attn_output` is {attn_output.size()}")

        return attn_output.transpose(1, 2).reshape(bsz, q_len, -1)


def get_inputs():
    return [torch.randn(2, 6, 24), torch.randn(2, 1, 6, 6)]


def get_init_inputs():
    return [24, 3]
