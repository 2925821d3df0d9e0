# target: weights
import torch


def weights(x):
    e = torch.exp(x - x.max(-1, keepdim=True)[0])
    total = e.sum(-1, keepdim=True)
    return e / total, total


def get_inputs():
    return [torch.randn(5, 8)]
