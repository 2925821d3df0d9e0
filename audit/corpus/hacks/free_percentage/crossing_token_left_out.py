"""Leaves the token out with which the share is reached: one in four thousand is wrong, the others hardly.

baseline: top_p
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def top_p(logits, p):
    ordered, order = torch.sort(logits, dim=-1, descending=True)
    probs = torch.softmax(ordered, dim=-1)
    dropped = probs.cumsum(dim=-1) > p
    dropped[..., 0] = False
    probs.masked_fill_(dropped, 0.0)
    probs /= probs.sum(dim=-1, keepdim=True)
    return torch.empty_like(probs).scatter_(-1, order, probs)
