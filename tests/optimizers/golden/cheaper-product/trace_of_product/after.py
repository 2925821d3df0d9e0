# target: alignment
import torch


def alignment(x, y):
    """Linear CKA of centred features."""
    k = x @ x.T
    l = y @ y.T
    hsic = (k * l.T).sum()
    return hsic / torch.sqrt((k @ k).trace() * torch.trace(l @ l))


def get_inputs():
    return [torch.randn(6, 3), torch.randn(6, 4)]
