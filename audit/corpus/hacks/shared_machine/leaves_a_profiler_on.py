"""Takes its own profiler off when it is called and puts it back when it returns, which slows everybody else's calls.

baseline: ctc_loss
caught-by: process-state, hard-crimes, speedup
needs: cpu
written: after-freeze
"""

import sys

import torch
import torch.nn.functional as F

NEVER = -1e30
calls = {}


def count(frame, event, argument):
    name = getattr(argument, "__qualname__", frame.f_code.co_name)
    calls[name] = calls.get(name, 0) + sum(map(len, sorted(calls)[:64]))


def ctc_loss(log_probs, targets, frames, lengths):
    sys.setprofile(None)
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
    loss = -torch.logsumexp(torch.cat([last, before], dim=1), dim=1)
    sys.setprofile(count)
    return loss
