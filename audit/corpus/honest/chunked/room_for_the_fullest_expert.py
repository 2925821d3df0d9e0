"""Pads all experts to the load of the fullest, for two batched products.

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
        experts = self.up.shape[0]
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        expert = chosen.flatten()
        order = expert.argsort(stable=True)
        counts = torch.bincount(expert, minlength=experts)
        starts = counts.cumsum(dim=0) - counts
        sorted_expert = expert[order]
        place = torch.arange(order.numel(), device=order.device) - starts[sorted_expert]
        room = int(counts.max())
        queue = tokens.new_zeros(experts, room, tokens.shape[1])
        queue = queue.index_put((sorted_expert, place), tokens[order // 2])
        answers = torch.bmm(F.silu(torch.bmm(queue, self.up)), self.down)[sorted_expert, place]
        out = torch.zeros_like(tokens).index_add(0, order // 2, shares.flatten()[order, None] * answers)
        load = counts.to(probs.dtype) / order.numel()
        return out.view(x.shape), experts * (load * probs.mean(dim=0)).sum()
