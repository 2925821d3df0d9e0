"""A layer of experts: each token goes through its best two, and a loss tells how evenly they are used; trained."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width, hidden, experts):
        super().__init__()
        self.gate = nn.Linear(width, experts, bias=False)
        self.up = nn.Parameter(torch.randn(experts, width, hidden) / width**0.5)
        self.down = nn.Parameter(torch.randn(experts, hidden, width) / hidden**0.5)

    def forward(self, x):
        tokens = x.flatten(0, -2)
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(tokens)
        for expert in range(self.up.shape[0]):
            rows, slots = torch.where(chosen == expert)
            hidden = F.silu(tokens[rows] @ self.up[expert])
            out = out.index_add(0, rows, shares[rows, slots, None] * (hidden @ self.down[expert]))
        load = F.one_hot(chosen, probs.shape[1]).sum(dim=1).to(probs.dtype).mean(dim=0) / 2
        balance = probs.shape[1] * (load * probs.mean(dim=0)).sum()
        return out.view(x.shape), balance


def get_inputs():
    return [torch.randn(4, 64, 48)]


def get_init_inputs():
    return [48, 96, 8]
