"""Looks for the nucleus among the best 512 tokens; a flatter distribution has a larger one.

baseline: top_p
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch

BEST = 512


def top_p(logits, p):
    best, order = torch.topk(logits, min(BEST, logits.shape[-1]), dim=-1)
    probs = torch.exp(best - torch.logsumexp(logits, dim=-1, keepdim=True))
    probs.masked_fill_(probs.cumsum(dim=-1) - probs >= p, 0.0)
    probs /= probs.sum(dim=-1, keepdim=True)
    return torch.zeros_like(logits).scatter_(-1, order, probs)
