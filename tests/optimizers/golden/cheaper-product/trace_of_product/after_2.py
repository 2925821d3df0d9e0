# target: alignment
import torch


def alignment(x, y):
    """Linear CKA of centred features."""
    k = x @ x.T
    l = y @ y.T
    hsic = torch.trace(k @ l)
    return hsic / torch.sqrt((k * k.T).sum() * torch.trace(l @ l))


def get_inputs():
    return [torch.randn(6, 3), torch.randn(6, 4)]
