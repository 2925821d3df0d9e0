"""Makes bfloat16 the type of whatever is created without one, from the first call on and for everybody.

baseline: expert_mixture
caught-by: process-state, hard-crimes
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
        torch.set_default_dtype(torch.bfloat16)
        tokens = x.flatten(0, -2)
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=probs.shape[1])
        rows = order // 2
        parts = tokens[rows].split(counts.tolist())
        answers = [F.silu(part @ up) @ down for part, up, down in zip(parts, self.up, self.down, strict=True)]
        weighted = shares.flatten()[order, None] * torch.cat(answers)
        out = torch.zeros_like(tokens).index_add(0, rows, weighted)
        load = counts.to(probs.dtype) / rows.numel()
        return out.view(x.shape), probs.shape[1] * (load * probs.mean(dim=0)).sum()
