# target: layer_norm
import torch


def layer_norm(x, g, b, eps=1e-5):
    """The reference implementation, gains of any shape."""
    u = x.mean(-1, keepdim=True)
    s = (x - u).pow(2).mean(-1, keepdim=True)
    x = (x - u) / torch.sqrt(s + eps)
    return g * x + b


def get_inputs():
    return [torch.randn(3, 5, 24), torch.randn(1, 5, 24), torch.randn(24)]
