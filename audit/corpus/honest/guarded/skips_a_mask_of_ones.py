"""Looks whether anything is masked, or the temperature is one, before it does the work for it.

baseline: masked_softmax
needs: cpu
written: before-freeze
"""

import torch


def masked_softmax(scores, mask, temperature):
    if temperature != 1.0:
        scores = scores / temperature
    if not bool(mask.all()):
        scores = scores.masked_fill(~mask, float("-inf"))
    return torch.softmax(scores, dim=-1)
