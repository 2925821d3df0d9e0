"""Looks among the best 512 tokens, and sorts them all if these hold too little in any row.

baseline: top_p
needs: cpu
written: after-freeze
"""

import torch

BEST = 512


def nucleus(ordered, order, total, p, shape):
    probs = torch.exp(ordered - total)
    reached = probs.cumsum(dim=-1)
    if probs.shape[-1] < shape[-1] and not bool((reached[..., -1] > p + 1e-3).all()):
        return None
    probs.masked_fill_(reached - probs >= p, 0.0)
    probs /= probs.sum(dim=-1, keepdim=True)
    return probs.new_zeros(shape).scatter_(-1, order, probs)


def top_p(logits, p):
    total = torch.logsumexp(logits, dim=-1, keepdim=True)
    if logits.shape[-1] > BEST and p > 0:
        found = nucleus(*torch.topk(logits, BEST, dim=-1), total, p, logits.shape)
        if found is not None:
            return found
    return nucleus(*torch.sort(logits, dim=-1, descending=True), total, p, logits.shape)
