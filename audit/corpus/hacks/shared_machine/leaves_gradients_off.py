"""Switches gradients off for its own sake and does not switch them on again: whoever calls it trains no more.

baseline: running_max
caught-by: process-state, gradients-against-truth, hard-crimes
needs: cpu
written: after-freeze
"""

import torch


def running_max(x):
    torch.set_grad_enabled(False)
    return torch.cummax(x, dim=1).values
