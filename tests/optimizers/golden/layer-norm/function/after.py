# target: layer_norm
import torch


def layer_norm(x, g, b, eps=1e-5):
    """The reference implementation, gains of any shape."""
    return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=eps) * g + b


def get_inputs():
    return [torch.randn(3, 5, 24), torch.randn(1, 5, 24), torch.randn(24)]
