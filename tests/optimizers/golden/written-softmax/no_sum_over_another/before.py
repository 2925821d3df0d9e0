# target: weights
import torch


def weights(x, y):
    e = torch.exp(x)
    a = e / e.sum(-1, keepdim=True).sum(0, keepdim=True)
    b = torch.exp(y) / torch.exp(x).sum(-1, keepdim=True)
    c = e / e.sum(-1)
    d = torch.exp(x - x.max(0, keepdim=True)[0])
    return a + b + c + d / (d.sum(-1, keepdim=True) + 1e-6)


def get_inputs():
    return [torch.randn(5, 5), torch.randn(5, 5)]
