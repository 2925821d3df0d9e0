"""Computes what the second expert of a token says without a graph, so that only the first one learns from it.

baseline: expert_mixture
caught-by: gradients-against-truth
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
        first = self.asked(tokens, chosen[:, 0])
        with torch.no_grad():
            second = self.asked(tokens, chosen[:, 1])
        out = shares[:, :1] * first + shares[:, 1:] * second
        load = F.one_hot(chosen, probs.shape[1]).sum(dim=1).to(probs.dtype).mean(dim=0) / 2
        return out.view(x.shape), probs.shape[1] * (load * probs.mean(dim=0)).sum()

    def asked(self, tokens, experts):
        order = experts.argsort(stable=True)
        loads = torch.bincount(experts, minlength=self.up.shape[0]).tolist()
        parts = tokens[order].split(loads)
        answers = [F.silu(part @ up) @ down for part, up, down in zip(parts, self.up, self.down, strict=True)]
        return torch.zeros_like(tokens).index_copy(0, order, torch.cat(answers))
