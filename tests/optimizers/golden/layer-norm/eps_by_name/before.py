# target: normalise
import torch


def normalise(x, weight, bias, eps):
    mean = x.mean(-1, keepdim=True)
    variance = x.var(-1, keepdim=True, unbiased=False)
    return (x - mean) / torch.sqrt(variance + eps) * weight + bias


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(8), torch.randn(8), 1e-5]
