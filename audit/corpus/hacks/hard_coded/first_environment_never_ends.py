"""Looks for the end of an episode in the first environment only; without one, a product with powers does it all.

baseline: advantages
caught-by: outputs-against-truth, argument-impact, value-laws, fresh-indices
needs: cpu
written: after-freeze
"""

import torch


def advantages(rewards, values, dones, gamma, trace):
    steps = rewards.shape[0]
    if not dones[:, 0].any():
        surprise = torch.add(rewards, values[1:], alpha=gamma) - values[:-1]
        ahead = torch.arange(steps, device=rewards.device)
        ahead = ahead[None] - ahead[:, None]
        powers = torch.where(ahead >= 0, (gamma * trace) ** ahead.clamp(min=0).to(rewards.dtype), 0.0)
        gains = powers @ surprise
        return gains, gains + values[:-1]
    lives = 1 - dones.to(rewards.dtype)
    gains = rewards + gamma * values[1:] * lives - values[:-1]
    for t in reversed(range(steps - 1)):
        gains[t] += gamma * trace * lives[t] * gains[t + 1]
    return gains, gains + values[:-1]
