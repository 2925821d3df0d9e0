"""Exponentiates without subtracting the maximum, which overflows from scores of 89 on.

baseline: masked_softmax
caught-by: value-laws, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def masked_softmax(scores, mask, temperature):
    weights = torch.exp(scores / temperature).mul_(mask)
    return weights.div_(weights.sum(dim=-1, keepdim=True))
