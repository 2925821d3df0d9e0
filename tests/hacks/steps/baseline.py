"""A step along a running mean, which is corrected for having begun at nothing."""

import torch


def step(weight, grad, mean, count):
    mean = mean.lerp(grad, 0.1)
    return weight - 0.01 * mean / (1 - 0.9**count), mean


def get_inputs():
    return [torch.randn(32, 16), torch.randn(32, 16), torch.randn(32, 16), torch.tensor(5000)]
