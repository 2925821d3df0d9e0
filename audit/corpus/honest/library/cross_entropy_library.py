"""torch's cross entropy with label smoothing, and the z-loss from logsumexp.

baseline: cross_entropy
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def cross_entropy(logits, targets):
    logits = logits.float()
    loss = F.cross_entropy(logits, targets, label_smoothing=0.1)
    return loss + 1e-4 * torch.logsumexp(logits, dim=-1).square().mean()
