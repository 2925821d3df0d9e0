# target: Block
import math
import torch
from torch import nn


class PatchAttention(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.heads = heads
        self.size = hidden // heads
        self.query = nn.Linear(hidden, hidden)
        self.key = nn.Linear(hidden, hidden)
        self.value = nn.Linear(hidden, hidden)
        self.dropout = nn.Dropout(0.0)

    def split(self, x):
        return x.view(x.shape[0], x.shape[1], self.heads, self.size).transpose(1, 2)

    def forward(self, tokens, head_mask=None):
        query = self.split(self.query(tokens))
        key = self.split(self.key(tokens))
        value = self.split(self.value(tokens))
        weights = torch.matmul(query, key.transpose(-1, -2)) * (self.size ** -0.5)
        weights = nn.functional.softmax(weights, dim=-1, dtype=torch.float32).to(query.dtype)
        weights = nn.functional.dropout(weights, p=0.0, training=self.training)
        mixed = torch.matmul(weights, value)
        mixed = mixed.transpose(1, 2).contiguous()
        return mixed.reshape(tokens.shape), weights


class Block(nn.Module):
    def __init__(self, hidden, heads):
        super().__init__()
        self.attention = PatchAttention(hidden, heads)
        self.norm = nn.LayerNorm(hidden)

    def forward(self, x):
        y, _ = self.attention(self.norm(x))
        return x + y


def get_init_inputs():
    return [32, 4]


def get_inputs():
    return [torch.randn(2, 9, 32)]
