# target: Attention
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, width, heads, positions=32):
        super().__init__()
        mask = torch.tril(torch.ones(positions, positions, dtype=torch.bool))
        self.register_buffer("bias", mask.view(1, 1, positions, positions), persistent=False)
        self.heads, self.width = heads, width
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)
        self.attn_dropout = nn.Dropout(0.0)

    def _attn(self, query, key, value, attention_mask=None, head_mask=None):
        if head_mask is None:
            query_length, key_length = query.size(-2), key.size(-2)
            causal_mask = self.bias[:, :, key_length - query_length : key_length, :key_length]
            return nn.functional.scaled_dot_product_attention(
                query, key, value,
                attn_mask=torch.where(causal_mask, attention_mask.to(query.dtype), float("-inf")) if attention_mask is not None else causal_mask,
                dropout_p=self.attn_dropout.p if self.attn_dropout.training else 0.0,
                scale=1.0 / (value.size(-1) ** 0.5),
            ), None
        else:
            attn_weights = torch.matmul(query, key.transpose(-1, -2))
            attn_weights = attn_weights / (value.size(-1) ** 0.5)
            # if only "normal" attention layer implements causal mask
            query_length, key_length = query.size(-2), key.size(-2)
            causal_mask = self.bias[:, :, key_length - query_length : key_length, :key_length]
            mask_value = torch.finfo(attn_weights.dtype).min
            attn_weights = torch.where(causal_mask, attn_weights.to(attn_weights.dtype), mask_value)
            if attention_mask is not None:
                attn_weights = attn_weights + attention_mask
            attn_weights = nn.functional.softmax(attn_weights, dim=-1)
            attn_weights = attn_weights.type(value.dtype)
            attn_weights = self.attn_dropout(attn_weights)
            if head_mask is not None:
                attn_weights = attn_weights * head_mask
            return torch.matmul(attn_weights, value), attn_weights

    def forward(self, x, attention_mask=None):
        b, t, _ = x.shape
        query, key, value = (
            part.view(b, t, self.heads, -1).permute(0, 2, 1, 3) for part in self.c_attn(x).split(self.width, dim=2)
        )
        out, _ = self._attn(query, key, value, attention_mask)
        return self.c_proj(out.permute(0, 2, 1, 3).contiguous().view(b, t, -1))


def get_init_inputs():
    return [32, 4]


def get_inputs():
    return [torch.randn(2, 9, 32)]
