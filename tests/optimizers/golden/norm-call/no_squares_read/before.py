# target: lengths
import torch


def lengths(x, y):
    squares = (x * x).sum(-1, keepdim=True)
    distances = squares + (y * y).sum(-1) - 2 * x @ y.t()
    return distances / squares.sqrt()


def get_inputs():
    return [torch.randn(4, 8), torch.randn(5, 8)]
