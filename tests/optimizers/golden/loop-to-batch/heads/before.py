# target: Heads
import math

import torch
import torch.nn as nn
import torch.nn.functional as F


class Heads(nn.Module):
    def __init__(self, dim, n_heads):
        super().__init__()
        self.n_heads = n_heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.slope = nn.Parameter(torch.randn(n_heads))

    def forward(self, x):
        B, T, C = x.shape
        q, k, v = self.qkv(x).chunk(3, dim=-1)
        d = C // self.n_heads
        outs = []
        for h in range(self.n_heads):
            qh = q[:, :, h * d:(h + 1) * d]
            kh = k[..., h * d:h * d + d]
            # (B, T, T)
            att = F.softmax(qh @ kh.transpose(-2, -1) / math.sqrt(d) * self.slope[h], dim=-1)  # probabilities
            outs.append(att @ v[:, :, h * d:(h + 1) * d])
        return torch.cat(outs, dim=-1)


def get_init_inputs():
    return [12, 3]


def get_inputs():
    return [torch.randn(2, 5, 12)]
