# target: SelfAttention
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


class SelfAttention(nn.Module):
    def __init__(self, width, heads):
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)
        self.drop = nn.Dropout(0.0)

    def _attention_scores(self, queries, keys, temperature=1.0):
        """Scaled dot products, (batch, heads, queries, keys)."""
        scale = temperature / math.sqrt(queries.size(-1))
        return torch.matmul(queries, keys.transpose(-2, -1)) * scale

    def _probabilities(self, scores):
        probs = F.softmax(scores, dim=-1)
        return self.drop(probs)

    def forward(self, x, mask=None):
        b, n, d = x.shape
        # heads before positions
        q, k, v = (t.view(b, n, self.heads, -1).transpose(1, 2) for t in self.qkv(x).chunk(3, -1))
        scale = 1.0 / math.sqrt(q.size(-1))
        out = F.scaled_dot_product_attention(
            q, k, v,
            attn_mask=(mask != 0) if mask is not None else None,
            dropout_p=self.drop.p if self.drop.training else 0.0,
            scale=scale,
        )
        return self.proj(out.transpose(1, 2).reshape(b, n, d))


def get_init_inputs():
    return [32, 4]


def get_inputs():
    return [torch.randn(2, 9, 32), torch.tril(torch.ones(9, 9))]
