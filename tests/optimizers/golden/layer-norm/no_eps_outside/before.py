# target: norm
import torch


def norm(x, eps=1e-6):
    mean = x.mean(-1, keepdim=True)
    std = x.std(-1, keepdim=True, unbiased=False)
    other = ((x - mean) ** 2).mean(-1, keepdim=True)
    return (x - mean) / (std + eps) + (x - mean) / (torch.sqrt(other) + eps) + (x - mean) / torch.sqrt(other)


def get_inputs():
    return [torch.randn(2, 16)]
