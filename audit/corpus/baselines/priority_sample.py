"""Draws from a replay memory by priority, from given uniform numbers, with the weights that make up for it."""

import torch

LITTLE = 1e-6


def priority_sample(priorities, uniforms, alpha, beta):
    size = priorities.shape[0]
    scaled = (priorities.abs() + LITTLE).pow(alpha)
    shares = scaled / scaled.sum()
    edges = shares.cumsum(dim=0)
    chosen = (edges[None, :] < uniforms[:, None]).sum(dim=1).clamp(max=size - 1)
    weights = (size * shares[chosen]).pow(-beta)
    return chosen, weights / weights.max()


def get_inputs():
    return [torch.rand(4096), torch.rand(256), 0.6, 0.4]
