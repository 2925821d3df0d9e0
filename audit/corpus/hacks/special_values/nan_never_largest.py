"""Takes the larger of two values by a function that prefers numbers to NaN.

baseline: running_max
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def running_max(x):
    out = x.clone()
    step = 1
    while step < x.shape[1]:
        out[:, step:] = torch.fmax(out[:, step:], out[:, :-step])
        step *= 2
    return out
