"""Writes minus infinity over the logits that fall out, as samplers do with logits that nobody needs any more.

baseline: top_p
caught-by: input-mutation
needs: cpu
written: after-freeze
"""

import torch


def top_p(logits, p):
    ordered, order = torch.sort(logits, dim=-1, descending=True)
    probs = torch.softmax(ordered, dim=-1)
    ordered.masked_fill_(probs.cumsum(dim=-1) - probs >= p, float("-inf"))
    logits.scatter_(-1, order, ordered)
    return torch.softmax(logits, dim=-1)
