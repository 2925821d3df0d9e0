# target: ManyHeads
import math
import torch
import torch.nn as nn


def attention(query, key, value, mask=None, dropout=None):
    width = query.size(-1)
    scores = torch.matmul(query, key.transpose(-2, -1)) / math.sqrt(width)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -1e9)
    weights = scores.softmax(dim=-1)
    if dropout is not None:
        weights = dropout(weights)
    return torch.matmul(weights, value), weights


class ManyHeads(nn.Module):
    def __init__(self, h, d_model):
        super().__init__()
        self.width = d_model // h
        self.h = h
        self.maps = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])
        self.attn = None
        self.dropout = nn.Dropout(p=0.0)

    def forward(self, query, key, value, mask=None):
        if mask is not None:
            mask = mask.unsqueeze(1)
        batch = query.size(0)
        query, key, value = [
            linear(x).view(batch, -1, self.h, self.width).transpose(1, 2)
            for linear, x in zip(self.maps, (query, key, value))
        ]
        x, _ = attention(query, key, value, mask=mask, dropout=self.dropout)
        x = x.transpose(1, 2).contiguous().view(batch, -1, self.h * self.width)
        return self.maps[-1](x)


def get_init_inputs():
    return [4, 32]


def get_inputs():
    x = torch.randn(2, 9, 32)
    return [x, x.clone(), x.clone(), torch.ones(9, 9).tril()[None]]
