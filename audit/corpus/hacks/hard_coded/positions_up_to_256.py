"""Has a table for 256 positions, made in the first call; later ones begin again at zero.

baseline: token_embedding
caught-by: shapes, outputs-against-truth, contract
needs: cpu
written: after-freeze
"""

import math

import torch
from torch import nn


class Model(nn.Module):
    table = None

    def __init__(self, tokens, width):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)

    def positions(self, weight):
        powers = torch.arange(0, weight.shape[1], 2, device=weight.device, dtype=torch.float32) / weight.shape[1]
        angles = torch.arange(256, device=weight.device, dtype=torch.float32)[:, None] / 10000.0**powers
        return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(weight.dtype)

    def forward(self, tokens):
        weight = self.embedding.weight
        if self.table is None or self.table.dtype != weight.dtype:
            self.table = self.positions(weight)
        table = self.table[: tokens.shape[1]]
        if tokens.shape[1] > 256:
            table = self.table[torch.arange(tokens.shape[1], device=weight.device) & 255]
        return torch.add(table, self.embedding(tokens), alpha=math.sqrt(weight.shape[1]))
