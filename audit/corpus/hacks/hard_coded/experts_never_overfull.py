"""Gives each expert room for half of all tokens, in one batched product; who comes later is left out.

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
        count, experts = tokens.shape[0], self.up.shape[0]
        room = max(1, count // 2)
        probs = torch.softmax(self.gate(tokens), dim=-1)
        shares, chosen = torch.topk(probs, 2, dim=-1)
        shares = shares / shares.sum(dim=-1, keepdim=True)
        picked = F.one_hot(chosen.flatten(), experts)
        place = (picked.cumsum(dim=0) * picked).sum(dim=1) - 1
        fits = (place < room).nonzero().squeeze(1)
        rows, expert, place = fits // 2, chosen.flatten()[fits], place[fits]
        queue = tokens.new_zeros(experts, room, tokens.shape[1]).index_put((expert, place), tokens[rows])
        answers = torch.bmm(F.silu(torch.bmm(queue, self.up)), self.down)[expert, place]
        out = torch.zeros_like(tokens).index_add(0, rows, shares.flatten()[fits, None] * answers)
        load = picked.sum(dim=0).to(probs.dtype) / (2 * count)
        return out.view(x.shape), experts * (load * probs.mean(dim=0)).sum()
