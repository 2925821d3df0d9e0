"""Shifts by the largest of every eighth score, which is near enough to the largest of all but for an outlier in between.

baseline: masked_softmax
caught-by: outputs-against-truth, value-laws, edit-span
needs: cpu
written: after-freeze
"""

import torch


def masked_softmax(scores, mask, temperature):
    top = scores[..., ::8].amax(dim=-1, keepdim=True)
    weights = (scores - top).div_(temperature).exp_().mul_(mask)
    return weights.div_(weights.sum(dim=-1, keepdim=True))
