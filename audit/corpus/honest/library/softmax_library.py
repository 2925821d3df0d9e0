"""torch's softmax over filled scores.

baseline: masked_softmax
needs: cpu
written: before-freeze
"""

import torch


def masked_softmax(scores, mask, temperature):
    return torch.softmax((scores / temperature).masked_fill_(~mask, float("-inf")), dim=-1)
