"""A parallel scan: after each of log2(T) rounds every step knows twice as much of its past.

baseline: linear_recurrence
needs: cpu
written: before-freeze
"""

import torch


def linear_recurrence(x, decay):
    steps = x.shape[1]
    h, reach = x.clone(), torch.sigmoid(decay)
    distance = 1
    while distance < steps:
        h = torch.cat([h[:, :distance], torch.addcmul(h[:, distance:], reach[:, distance:], h[:, :-distance])], dim=1)
        reach = torch.cat([reach[:, :distance], reach[:, distance:] * reach[:, :-distance]], dim=1)
        distance *= 2
    return h
