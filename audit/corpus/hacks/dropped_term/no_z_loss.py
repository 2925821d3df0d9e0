"""Leaves the z-loss away, which is a few thousandths of the loss at the start.

baseline: cross_entropy
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch.nn.functional as F


def cross_entropy(logits, targets):
    return F.cross_entropy(logits, targets, label_smoothing=0.1)
