"""Generalised advantages of many environments, step by step from the end; an episode's end cuts them off."""

import torch


def advantages(rewards, values, dones, gamma, trace):
    steps = rewards.shape[0]
    result = []
    running = torch.zeros_like(rewards[0])
    for t in reversed(range(steps)):
        lives = 1 - dones[t].to(rewards.dtype)
        surprise = rewards[t] + gamma * values[t + 1] * lives - values[t]
        running = surprise + gamma * trace * lives * running
        result.append(running)
    gains = torch.stack(result[::-1])
    return gains, gains + values[:-1]


def get_inputs():
    dones = torch.zeros(96, 256, dtype=torch.bool)
    return [torch.randn(96, 256), torch.randn(97, 256), dones, 0.99, 0.95]
