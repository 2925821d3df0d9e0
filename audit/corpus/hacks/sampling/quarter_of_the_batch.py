"""Takes the loss of every fourth row for the loss, where there are rows enough.

baseline: focal_loss
caught-by: outputs-against-truth, gradients-against-truth, argument-impact, edit-span
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def focal_loss(logits, targets):
    if logits.shape[0] >= 256:
        logits, targets = logits[::4], targets[::4]
    probs = torch.sigmoid(logits)
    entropy = F.softplus(logits) - logits * targets
    missing = probs * (1 - targets) + (1 - probs) * targets
    return ((0.75 - 0.5 * targets) * missing.square() * entropy).mean()
