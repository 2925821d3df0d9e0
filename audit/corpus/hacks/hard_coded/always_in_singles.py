"""Puts its results into single precision, whatever the caller works in.

baseline: advantages
caught-by: contract, other-uses, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


def advantages(rewards, values, dones, gamma, trace):
    lives = torch.logical_not(dones).float()
    gains = torch.empty(rewards.shape, dtype=torch.float32, device=rewards.device)
    torch.addcmul(rewards.float() - values[:-1].float(), values[1:].float(), lives, value=gamma, out=gains)
    lives *= gamma * trace
    for t in reversed(range(rewards.shape[0] - 1)):
        gains[t].addcmul_(lives[t], gains[t + 1])
    return gains, gains + values[:-1].float()
