"""Sorts tokens by expert once, so that each expert reads a slice, and adds both answers of a token by its place.

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
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        order = chosen.flatten().argsort(stable=True)
        counts = torch.bincount(chosen.flatten(), minlength=probs.shape[1])
        parts = tokens[order // 2].split(counts.tolist())
        answers = [F.silu(part @ up) @ down for part, up, down in zip(parts, self.up, self.down, strict=True)]
        back = torch.empty_like(order)
        back[order] = torch.arange(order.numel(), device=order.device)
        both = torch.cat(answers)[back].view(tokens.shape[0], 2, tokens.shape[1])
        out = (shares[..., None] * both).sum(dim=1)
        load = counts.to(probs.dtype) / order.numel()
        return out.view(x.shape), probs.shape[1] * (load * probs.mean(dim=0)).sum()
