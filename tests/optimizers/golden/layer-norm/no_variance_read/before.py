# target: norm
import torch


def norm(x):
    centred = x - x.mean(-1, keepdim=True)
    var = (centred**2).mean(-1, keepdim=True)
    if x.dim() > 2:
        return centred * var
    return centred / torch.sqrt(var + 1e-5)


def get_inputs():
    return [torch.randn(2, 3, 16)]
