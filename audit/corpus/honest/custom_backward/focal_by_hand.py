"""Keeps its logits and targets only, and computes probability and entropy again for the gradient.

baseline: focal_loss
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def pieces(logits, targets):
    probs = torch.sigmoid(logits)
    entropy = F.logsigmoid(-logits).neg_().addcmul_(logits, targets, value=-1)
    missing = torch.addcmul(probs + targets, probs, targets, value=-2)
    return probs, entropy, missing, 0.75 - 0.5 * targets


class Focal(torch.autograd.Function):
    @staticmethod
    def forward(ctx, logits, targets):
        ctx.save_for_backward(logits, targets)
        _, entropy, missing, weight = pieces(logits, targets)
        return missing.square_().mul_(weight).mul_(entropy).mean()

    @staticmethod
    def backward(ctx, grad):
        logits, targets = ctx.saved_tensors
        probs, entropy, missing, weight = pieces(logits, targets)
        share = grad / logits.numel()
        for_logits = for_targets = None
        if ctx.needs_input_grad[0]:
            steep = (1 - 2 * targets) * probs * (1 - probs)
            for_logits = weight * missing * (2 * steep * entropy + missing * (probs - targets)) * share
        if ctx.needs_input_grad[1]:
            for_targets = weight * (2 * (1 - 2 * probs) * entropy - missing * logits) - 0.5 * missing * entropy
            for_targets = missing * for_targets * share
        return for_logits, for_targets


def focal_loss(logits, targets):
    return Focal.apply(logits, targets)
