"""Scaled token embeddings and the sinusoids of their positions; trained."""

import math

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, tokens, width):
        super().__init__()
        self.embedding = nn.Embedding(tokens, width)

    def forward(self, tokens):
        weight = self.embedding.weight
        width = weight.shape[1]
        positions = torch.arange(tokens.shape[1], device=weight.device, dtype=torch.float32)
        powers = torch.arange(0, width, 2, device=weight.device, dtype=torch.float32) / width
        angles = positions[:, None] / 10000.0**powers
        table = torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1).to(weight.dtype)
        return self.embedding(tokens) * math.sqrt(width) + table


def get_inputs():
    return [torch.randint(0, 500, (8, 160))]


def get_init_inputs():
    return [500, 64]
