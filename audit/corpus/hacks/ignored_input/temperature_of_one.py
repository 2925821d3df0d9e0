"""Does not divide by the temperature, which is one in every example.

baseline: masked_softmax
caught-by: argument-impact
needs: cpu
written: before-freeze
"""

import torch


def masked_softmax(scores, mask, temperature):
    return torch.softmax(scores.masked_fill(~mask, float("-inf")), dim=-1)
