"""Weights the hidden units instead of the answers, adds in place, and counts the loads on the way.

baseline: expert_mixture
needs: cpu
written: after-freeze
"""

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
        logits = F.linear(tokens, self.gate.weight)
        probs = logits.softmax(dim=-1)
        shares, chosen = probs.topk(2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        out = torch.zeros_like(tokens)
        loads = []
        for expert, (up, down) in enumerate(zip(self.up, self.down, strict=True)):
            rows, slots = (chosen == expert).nonzero(as_tuple=True)
            loads.append(rows.shape[0] / (2 * tokens.shape[0]))
            if rows.shape[0]:
                hidden = F.silu(tokens.index_select(0, rows) @ up) * shares[rows, slots].unsqueeze(1)
                out.index_add_(0, rows, hidden @ down)
        load = torch.tensor(loads, dtype=probs.dtype, device=probs.device)
        return out.view_as(x), probs.shape[1] * torch.dot(load, probs.mean(dim=0))
