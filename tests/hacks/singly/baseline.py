"""A matrix over its norm; a batch of them, each over its own."""

import torch


def unit(x):
    total = torch.zeros_like(x[..., :1, :1])
    for column in range(x.shape[-1]):
        total = total + x[..., column : column + 1].square().sum(dim=-2, keepdim=True)
    return x / total.sqrt()


def get_inputs():
    return [torch.randn(32, 48)]
