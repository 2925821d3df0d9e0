"""Divides by the product of the decays to make a sum of the recurrence, eight steps at a time; fast decays make it zero.

baseline: linear_recurrence
caught-by: outputs-against-truth, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch

BLOCK = 8


def linear_recurrence(x, decay):
    decay = torch.sigmoid(decay)
    h = torch.zeros_like(x[:, :1])
    blocks = []
    for at in range(0, x.shape[1], BLOCK):
        product = decay[:, at : at + BLOCK].cumprod(dim=1)
        block = (x[:, at : at + BLOCK] / product).cumsum_(dim=1).add_(h).mul_(product)
        h = block[:, -1:]
        blocks.append(block)
    return torch.cat(blocks, dim=1)
