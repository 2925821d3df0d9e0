"""Sums probabilities in fp64 and not their logarithms: exact until a loss of about 700, where it is infinite.

baseline: ctc_loss
caught-by: value-laws, outputs-against-truth, shapes
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def ctc_loss(log_probs, targets, frames, lengths):
    labels = F.pad(F.pad(targets[:, :, None], (1, 0)).flatten(1), (0, 1))
    emitted = log_probs.gather(2, labels.expand(log_probs.shape[0], -1, -1)).double().exp()
    may_skip = F.pad((labels[:, 2:] != 0) & (labels[:, 2:] != labels[:, :-2]), (2, 0)).double()
    live = (torch.arange(log_probs.shape[0], device=frames.device)[:, None] < frames)[:, :, None]
    alpha = F.pad(emitted[0, :, :2], (0, labels.shape[1] - 2))
    for t in range(1, log_probs.shape[0]):
        before = F.pad(alpha, (2, 0))
        moved = torch.addcmul(alpha + before[:, 1:-1], before[:, :-2], may_skip) * emitted[t]
        alpha = torch.where(live[t], moved, alpha)
    last = alpha.gather(1, 2 * lengths[:, None])[:, 0]
    before = alpha.gather(1, (2 * lengths[:, None] - 1).clamp(min=0))[:, 0]
    return -(last + before * (lengths > 0)).log().to(log_probs.dtype)
