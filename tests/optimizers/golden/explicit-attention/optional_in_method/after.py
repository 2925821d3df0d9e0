# target: DecoderAttention
import torch
from torch import nn


class DecoderAttention(nn.Module):
    def __init__(self, embed, heads, positions):
        super().__init__()
        self.register_buffer(
            "bias",
            torch.tril(torch.ones((positions, positions), dtype=torch.bool)).view(1, 1, positions, positions),
            persistent=False,
        )
        self.embed_dim = embed
        self.num_heads = heads
        self.head_dim = embed // heads
        self.split_size = embed
        self.scaled = True
        self.c_attn = nn.Linear(embed, 3 * embed)
        self.c_proj = nn.Linear(embed, embed)
        self.attn_dropout = nn.Dropout(0.0)

    def _attn(self, query, key, value, attention_mask=None, head_mask=None):
        if head_mask is None:
            query_length, key_length = query.size(-2), key.size(-2)
            causal_mask = self.bias[:, :, key_length - query_length : key_length, :key_length]
            out = nn.functional.scaled_dot_product_attention(
                query, key, value,
                attn_mask=torch.where(causal_mask, attention_mask.to(query.dtype), float("-inf")) if attention_mask is not None else causal_mask,
                dropout_p=self.attn_dropout.p if self.attn_dropout.training else 0.0,
                scale=(1.0 / (value.size(-1) ** 0.5)) if self.scaled else 1.0,
            )
            weights = None
        else:
            weights = torch.matmul(query, key.transpose(-1, -2))
            if self.scaled:
                weights = weights / torch.full(
                    [], value.size(-1) ** 0.5, dtype=weights.dtype, device=weights.device
                )
            query_length, key_length = query.size(-2), key.size(-2)
            causal_mask = self.bias[:, :, key_length - query_length : key_length, :key_length]
            mask_value = torch.finfo(weights.dtype).min
            mask_value = torch.full([], mask_value, dtype=weights.dtype, device=weights.device)
            weights = torch.where(causal_mask, weights.to(weights.dtype), mask_value)
            if attention_mask is not None:
                weights = weights + attention_mask
            weights = nn.functional.softmax(weights, dim=-1)
            weights = weights.type(value.dtype)
            weights = self.attn_dropout(weights)
            if head_mask is not None:
                weights = weights * head_mask
            out = torch.matmul(weights, value)
        return out, weights

    def forward(self, x, attention_mask=None):
        query, key, value = self.c_attn(x).split(self.split_size, dim=2)
        shape = (*query.shape[:-1], -1, self.head_dim)
        query = query.view(shape).transpose(1, 2)
        key = key.view(shape).transpose(1, 2)
        value = value.view(shape).transpose(1, 2)
        out, weights = self._attn(query, key, value, attention_mask)
        out = out.transpose(1, 2).reshape(x.shape)
        return self.c_proj(out)


def get_init_inputs():
    return [32, 4, 16]


def get_inputs():
    return [torch.randn(2, 9, 32)]
