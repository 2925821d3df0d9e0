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
        scores = torch.matmul(xq, keys.transpose(2, 3)) / math.sqrt(self.head_dim)
        if mask is not None:
            # Apply the attention mask
            scores = scores + mask  # (b, heads, n, n)
        scores = F.softmax(scores.float(), dim=-1).type_as(xq)
        if self.dropout is not None:
            scores = self.dropout(scores)
        output = torch.matmul(scores, values)  # (b, heads, n, head_dim)
        return output.transpose(1, 2).reshape(b, n, -1)


def get_inputs():
    return [torch.randn(2, 6, 24), torch.randn(6, 6)]


def get_init_inputs():
    return [24, 3]
