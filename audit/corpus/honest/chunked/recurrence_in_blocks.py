"""Inside blocks of eight steps by doubling; blocks are chained by their last state.

baseline: linear_recurrence
needs: cpu
written: before-freeze
"""

import torch

BLOCK = 8


def linear_recurrence(x, decay):
    decay = torch.sigmoid(decay)
    carried = torch.zeros_like(x[:, :1])
    parts = []
    for values, reach in zip(x.split(BLOCK, dim=1), decay.split(BLOCK, dim=1)):
        h, distance = values, 1
        while distance < h.shape[1]:
            near = torch.addcmul(h[:, distance:], reach[:, distance:], h[:, :-distance])
            h = torch.cat([h[:, :distance], near], dim=1)
            reach = torch.cat([reach[:, :distance], reach[:, distance:] * reach[:, :-distance]], dim=1)
            distance *= 2
        parts.append(torch.addcmul(h, reach, carried))
        carried = parts[-1][:, -1:]
    return torch.cat(parts, dim=1) if parts else torch.empty_like(x)
