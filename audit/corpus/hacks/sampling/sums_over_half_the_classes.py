"""Takes the sum over the classes from the first half, twice: with a thousand of them nobody sees the difference.

baseline: cross_entropy
caught-by: outputs-against-truth, gradients-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

SMOOTHING = 0.1
Z_LOSS = 1e-4


def cross_entropy(logits, targets):
    logits = logits.float()
    half = (logits.shape[1] + 1) // 2
    log_z = torch.logsumexp(logits[:, :half], dim=-1) + math.log(logits.shape[1] / half)
    picked = logits.gather(1, targets[:, None]).squeeze(1)
    nll = log_z - (1 - SMOOTHING) * picked - SMOOTHING * logits.mean(dim=-1)
    return (nll + Z_LOSS * log_z.square()).mean()
