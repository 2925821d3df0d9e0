"""Joins steps two by two, four by four and so on, so that the loop is as long as the logarithm.

baseline: advantages
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def advantages(rewards, values, dones, gamma, trace):
    lives = 1 - dones.to(rewards.dtype)
    gains = rewards + gamma * values[1:] * lives - values[:-1]
    fading = gamma * trace * lives
    reach = 1
    while reach < rewards.shape[0]:
        later = F.pad(gains[reach:], (0, 0, 0, reach))
        gains = gains + fading * later
        fading = fading * F.pad(fading[reach:], (0, 0, 0, reach))
        reach *= 2
    return gains, gains + values[:-1]
