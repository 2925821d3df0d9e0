# target: norm
import torch


def norm(x):
    flat = x.view(-1, x.shape[-1])
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, keepdim=True, unbiased=False)
    flat.clamp_(min=-1.0)
    return (x - mean) / torch.sqrt(var + 1e-5)


def get_inputs():
    return [torch.randn(2, 3, 16)]
