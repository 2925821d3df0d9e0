"""Takes every target for 0 or 1, as labels are that nobody has smoothed or mixed.

baseline: focal_loss
caught-by: outputs-against-truth, gradients-against-truth, value-laws, argument-impact
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

ALPHA = 0.25


def focal_loss(logits, targets):
    towards = torch.addcmul(logits, logits, targets, value=-2)
    sure = F.logsigmoid(-towards)
    loss = sure * torch.expm1(sure).square()
    return ((2 * ALPHA - 1) * (loss * targets).sum() + (1 - ALPHA) * loss.sum()) / -loss.numel()
