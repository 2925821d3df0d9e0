"""The CTC loss of each sequence by its forward recursion, with label 0 for the blank; differentiated."""

import torch
import torch.nn.functional as F

NEVER = -1e30


def ctc_loss(log_probs, targets, frames, lengths):
    labels = F.pad(F.pad(targets[:, :, None], (1, 0)).flatten(1), (0, 1))
    emitted = log_probs.gather(2, labels.expand(log_probs.shape[0], -1, -1))
    may_skip = F.pad((labels[:, 2:] != 0) & (labels[:, 2:] != labels[:, :-2]), (2, 0))
    alpha = F.pad(emitted[0, :, :2], (0, labels.shape[1] - 2), value=NEVER)
    for t in range(1, log_probs.shape[0]):
        step = F.pad(alpha[:, :-1], (1, 0), value=NEVER)
        skip = F.pad(alpha[:, :-2], (2, 0), value=NEVER).masked_fill(~may_skip, NEVER)
        moved = torch.logsumexp(torch.stack([alpha, step, skip]), dim=0) + emitted[t]
        alpha = torch.where((t < frames)[:, None], moved, alpha)
    last = alpha.gather(1, 2 * lengths[:, None])
    before = alpha.gather(1, (2 * lengths[:, None] - 1).clamp(min=0))
    before = before.masked_fill(lengths[:, None] == 0, NEVER)
    return -torch.logsumexp(torch.cat([last, before], dim=1), dim=1)


def get_inputs():
    log_probs = torch.log_softmax(torch.randn(32, 8, 40), dim=-1).requires_grad_()
    return [log_probs, torch.randint(1, 40, (8, 8)), torch.randint(20, 33, (8,)), torch.randint(3, 9, (8,))]
