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
        def one_h(q_h, k_h, slope_h, v_h):
            qh = q_h
            kh = k_h
            # (B, T, T)
            att = F.softmax(qh @ kh.transpose(-2, -1) / math.sqrt(d) * slope_h, dim=-1)  # probabilities
            return att @ v_h
        outs = torch.vmap(one_h, in_dims=(2, -2, 0, 2), out_dims=-2)(
            q[:, :, : self.n_heads * d].unflatten(2, (self.n_heads, d)),
            k[..., : self.n_heads * d].unflatten(-1, (self.n_heads, d)),
            self.slope[:self.n_heads],
            v[:, :, : self.n_heads * d].unflatten(2, (self.n_heads, d)),
        )
        return outs.flatten(-2, -1)


def get_init_inputs():
    return [12, 3]


def get_inputs():
    return [torch.randn(2, 5, 12)]
