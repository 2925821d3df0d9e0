# target: take
import torch


def take(x, y, offset):
    n, m = x.shape
    d = torch.diag(x)
    return torch.diag(x) @ y, torch.diag(d, offset) @ y, torch.diag(x @ d)


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4), 0]
