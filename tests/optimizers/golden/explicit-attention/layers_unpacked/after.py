# target: SelfAttention
import math

import torch
from torch import nn


class SelfAttention(nn.Module):
    def __init__(self, width, heads, drop=0.0):
        super().__init__()
        self.heads, self.head_size = heads, width // heads
        self.query, self.key, self.value = (nn.Linear(width, width) for _ in range(3))
        self.attn_drop, self.proj_drop = [nn.Dropout(drop) for _ in range(2)]
        self.softmax, self.proj = nn.Softmax(dim=-1), nn.Linear(width, width)

    def split(self, x):
        return x.view(x.size()[:-1] + (self.heads, self.head_size)).permute(0, 2, 1, 3)

    def forward(self, x):
        q, k, v = self.split(self.query(x)), self.split(self.key(x)), self.split(self.value(x))
        mixed = nn.functional.scaled_dot_product_attention(
            q, k, v,
            dropout_p=self.attn_drop.p if self.attn_drop.training else 0.0,
            scale=1.0 / math.sqrt(self.head_size),
        ).permute(0, 2, 1, 3).contiguous()
        return self.proj_drop(self.proj(mixed.view(mixed.size()[:-2] + (self.heads * self.head_size,))))


def get_init_inputs():
    return [12, 3]


def get_inputs():
    return [torch.randn(2, 5, 12)]
