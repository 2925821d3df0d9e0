"""The squared distance of each row from a target that is not to learn; trained."""

import torch


def distance(x, target):
    return (x - target.detach()).square().sum(dim=1)


def get_inputs():
    return [torch.randn(16, 8).requires_grad_(), torch.randn(16, 8)]
