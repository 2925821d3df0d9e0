"""Running sums of blocks of 16 from both ends: each window is the end of one block and the start of the next.

baseline: rolling_mean
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F

WINDOW = 16


def rolling_mean(x):
    time = x.shape[1]
    blocks = F.pad(x, (WINDOW, -time % WINDOW)).unflatten(1, (-1, WINDOW))
    starts = blocks[:, 1:].cumsum(dim=-1)
    ends = blocks[:, :-1].flip(-1).cumsum(dim=-1).flip(-1)
    starts[..., :-1] += ends[..., 1:]
    return starts.flatten(1)[:, :time] / WINDOW
