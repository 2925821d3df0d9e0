"""Takes the number of classes from the largest target, which is right when each class occurs in the batch.

baseline: class_weighted_loss
caught-by: shapes, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def class_weighted_loss(logits, targets):
    counts = torch.bincount(targets)
    weights = targets.shape[0] / (counts.numel() * counts.to(logits.dtype))
    losses = F.cross_entropy(logits, targets, reduction="none")
    return (weights[targets] * losses).mean()
