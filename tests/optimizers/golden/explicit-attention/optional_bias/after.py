# target: Attention
import math

import torch
import torch.nn.functional as F
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.heads = heads
        self.head_dim = dim // heads
        self.wqkv = nn.Linear(dim, 3 * dim, bias=False)
        self.dropout = nn.Dropout(0.0)

    def forward(self, x, mask=None):
        b, n, _ = x.shape
        xq, keys, values = self.wqkv(x).view(b, n, 3, self.heads, self.head_dim).permute(2, 0, 3, 1, 4)
        # Apply the attention mask
        output = F.scaled_dot_product_attention(
            xq, keys, values,
            attn_mask=mask.to(xq.dtype) if mask is not None else None,
            dropout_p=(self.dropout.p if self.dropout.training else 0.0) if self.dropout is not None else 0.0,
            scale=1.0 / math.sqrt(self.head_dim),
        )  # (b, heads, n, head_dim)
        return output.transpose(1, 2).reshape(b, n, -1)


def get_inputs():
    return [torch.randn(2, 6, 24), torch.randn(6, 6)]


def get_init_inputs():
    return [24, 3]
