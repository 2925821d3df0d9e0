"""Writes the surprises at once, and adds the later ones from the end, in its own result.

baseline: advantages
needs: cpu
written: after-freeze
"""

import torch


def advantages(rewards, values, dones, gamma, trace):
    lives = 1 - dones.to(rewards.dtype)
    rows = list((rewards + gamma * values[1:] * lives - values[:-1]).unbind(0))
    fading = (gamma * trace * lives).unbind(0)
    for t in range(len(rows) - 2, -1, -1):
        rows[t] = torch.addcmul(rows[t], fading[t], rows[t + 1])
    gains = torch.stack(rows)
    return gains, gains + values[:-1]
