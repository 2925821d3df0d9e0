"""What its backward pass needs lies in a buffer that the next call overwrites."""

import torch

kept = {}


class Lengths(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        kept["x"] = x.detach().clone()
        return torch.linalg.vecdot(x, x)

    @staticmethod
    def backward(ctx, grad):
        return 2 * grad[:, None] * kept["x"]


def lengths(x):
    return Lengths.apply(x)
