"""Sorts tokens by expert and takes the lengths of the runs for the loads of experts 0, 1, 2 and so on.

baseline: expert_mixture
caught-by: outputs-against-truth, value-laws, shapes
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
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        ordered, order = chosen.flatten().sort(stable=True)
        _, loads = torch.unique_consecutive(ordered, return_counts=True)
        rows = order // 2
        parts = tokens[rows].split(loads.tolist())
        answers = [F.silu(part @ up) @ down for part, up, down in zip(parts, self.up, self.down)]
        weighted = shares.flatten()[order, None] * torch.cat(answers)
        out = torch.zeros_like(tokens).index_add(0, rows, weighted)
        load = torch.bincount(ordered, minlength=probs.shape[1]).to(probs.dtype) / ordered.numel()
        return out.view(x.shape), probs.shape[1] * (load * probs.mean(dim=0)).sum()
