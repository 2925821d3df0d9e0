"""Leaves the correction out, which is one after some hundreds of steps."""

import torch


def step(weight, grad, mean, count):
    mean = mean.lerp(grad, 0.1)
    return torch.add(weight, mean, alpha=-0.01), mean
