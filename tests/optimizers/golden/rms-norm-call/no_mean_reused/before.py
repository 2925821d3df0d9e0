# target: norm
import torch


def norm(x, weight):
    power = x.pow(2).mean(-1, keepdim=True)
    y = x * torch.rsqrt(power + 1e-6) * weight
    return y, power


def get_inputs():
    return [torch.randn(3, 8), torch.randn(8)]
