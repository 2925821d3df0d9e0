"""Takes the entropy from torch's stable loss.

baseline: focal_loss
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

ALPHA = 0.25


def focal_loss(logits, targets):
    probs = torch.sigmoid(logits)
    entropy = F.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    missing = torch.lerp(probs, 1 - probs, targets)
    weight = torch.lerp(torch.full_like(targets, 1 - ALPHA), torch.full_like(targets, ALPHA), targets)
    return (weight * missing.square() * entropy).mean()
