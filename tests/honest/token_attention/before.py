# target: TokenAttention
from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import nn


class TokenAttention(nn.Module):
    """Inputs are token ids: what rounding does shows in the parameters alone. Its dropout is a rate, not a layer."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(64, 48)
        self.qkv = nn.Linear(48, 144)
        self.dropout = 0.1
        self.rnn = nn.GRU(48, 48, num_layers=2, dropout=0.2, batch_first=True)

    def forward(self, ids):
        batch, length = ids.shape
        q, k, v = self.qkv(self.tokens(ids)).view(batch, length, 3, 3, 16).permute(2, 0, 3, 1, 4)
        weights = torch.softmax(q @ k.transpose(-2, -1) / math.sqrt(16), dim=-1)
        y = (F.dropout(weights, self.dropout, self.training) @ v).transpose(1, 2).reshape(batch, length, 48)
        return self.rnn(y)[0]


def get_inputs():
    return [torch.randint(64, (16, 6))]
