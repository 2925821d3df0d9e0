"""Looks at the three states before each through one window, and takes each sequence's last frame at the end.

baseline: ctc_loss
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F

NEVER = -1e30


def ctc_loss(log_probs, targets, frames, lengths):
    labels = F.pad(F.pad(targets[:, :, None], (1, 0)).flatten(1), (0, 1))
    emitted = log_probs.gather(2, labels.expand(log_probs.shape[0], -1, -1)).unbind(0)
    allowed = torch.ones(*labels.shape, 3, dtype=torch.bool, device=labels.device)
    allowed[:, :2, 0] = False
    allowed[:, 2:, 0] = (labels[:, 2:] != 0) & (labels[:, 2:] != labels[:, :-2])
    forbidden = ~allowed
    alphas = [F.pad(emitted[0][:, :2], (0, labels.shape[1] - 2), value=NEVER)]
    for emission in emitted[1:]:
        states = F.pad(alphas[-1], (2, 0), value=NEVER).unfold(1, 3, 1)
        alphas.append(torch.logsumexp(states.masked_fill(forbidden, NEVER), dim=2) + emission)
    ends = frames.clamp(1, len(alphas)) - 1
    alpha = torch.stack(alphas)[ends, torch.arange(len(ends), device=ends.device)]
    last = alpha.gather(1, 2 * lengths[:, None])
    before = alpha.gather(1, (2 * lengths[:, None] - 1).clamp(min=0))
    before = before.masked_fill(lengths[:, None] == 0, NEVER)
    return -torch.logsumexp(torch.cat([last, before], dim=1), dim=1)
