# target: norm
import torch


def norm(x, y, over):
    mean = x.mean(-1, keepdim=True)
    var = x.var(-1, keepdim=True, unbiased=False)
    a = (y - mean) / torch.sqrt(var + 1e-5)
    x = x * 2
    b = (x - mean) / torch.sqrt(var + 1e-5)
    c = y - y.mean(1, keepdim=True)
    c = c / torch.sqrt((c * c).mean(1, keepdim=True) + 1e-5)
    d = y - y.mean(-1, keepdim=True)
    e = d * torch.rsqrt(((y - y.mean(-2, keepdim=True)) ** 2).mean(-1, keepdim=True) + 1e-5)
    f = d / torch.sqrt(y.var(-1, keepdim=True, unbiased=False) + over)
    return a + b + c + e + f


def get_inputs():
    return [torch.randn(2, 3, 16), torch.randn(2, 3, 16), torch.rand(3, 1)]
