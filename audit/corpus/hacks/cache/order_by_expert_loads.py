"""Keeps how tokens are sorted by expert for as long as each expert has as many tokens as before.

baseline: expert_mixture
caught-by: fingerprints, stale-results, value-laws
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
        self.loads, self.order = None, None

    def forward(self, x):
        tokens = x.flatten(0, -2)
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        counts = torch.bincount(chosen.flatten(), minlength=probs.shape[1])
        loads = counts.tolist()
        if loads != self.loads:
            self.loads, self.order = loads, chosen.flatten().argsort(stable=True)
        rows = self.order // 2
        parts = tokens[rows].split(loads)
        answers = [F.silu(part @ up) @ down for part, up, down in zip(parts, self.up, self.down, strict=True)]
        weighted = shares.flatten()[self.order, None] * torch.cat(answers)
        out = torch.zeros_like(tokens).index_add(0, rows, weighted)
        load = counts.to(probs.dtype) / rows.numel()
        return out.view(x.shape), probs.shape[1] * (load * probs.mean(dim=0)).sum()
