"""A step along the sign of each gradient of a list, with decay; gives new parameters."""

import torch


def step(params, grads, rate):
    found = []
    for param, grad in zip(params, grads, strict=True):
        kept = param - param * (rate * 0.01)
        found.append(kept - grad.sign() * rate)
    return found


def get_inputs():
    return [[torch.randn(32, 16) for _ in range(24)], [torch.randn(32, 16) for _ in range(24)], 1e-4]
