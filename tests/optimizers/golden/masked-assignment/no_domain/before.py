# target: root
import torch


def root(x, fallback):
    out = torch.zeros_like(x)
    above = x > 0
    out[above] = torch.sqrt(x[above])
    other = fallback > 0
    out[other] = x[other] + 1.0
    return out


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4)]
