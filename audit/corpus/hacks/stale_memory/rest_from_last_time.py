"""Writes three quarters of the steps into a buffer that still holds the other quarter of an earlier call.

baseline: linear_recurrence
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch

buffers = {}


def linear_recurrence(x, decay):
    steps = x.shape[1]
    first_time = x.shape not in buffers
    if first_time:
        buffers[x.shape] = x.new_empty(steps, x.shape[0], x.shape[2])
    out = buffers[x.shape]
    wanted = steps if first_time else steps - steps // 4
    decay = torch.sigmoid(decay[:, :wanted])
    h = torch.zeros_like(x[:, 0])
    for t in range(wanted):
        h = torch.addcmul(x[:, t], decay[:, t], h, out=out[t])
    return out.transpose(0, 1).clone()
