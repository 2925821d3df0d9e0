"""Normalises while the probabilities are sorted, in place, and scatters them once.

baseline: top_p
needs: cpu
written: after-freeze
"""

import torch


def top_p(logits, p):
    ordered, order = torch.sort(logits, dim=-1, descending=True)
    probs = torch.softmax(ordered, dim=-1)
    before = probs.cumsum(dim=-1).sub_(probs)
    probs.masked_fill_(~(before < p), 0.0)
    probs.div_(probs.sum(dim=-1, keepdim=True))
    return torch.empty_like(probs).scatter_(-1, order, probs)
