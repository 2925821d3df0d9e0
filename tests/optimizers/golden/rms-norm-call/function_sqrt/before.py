# target: norm
import torch


# Rows to unit root mean square.
def norm(x, g, eps=1e-5):
    """With a gain."""
    return g * (x / torch.sqrt(torch.mean(x**2, dim=-1, keepdim=True) + eps))


def get_inputs():
    return [torch.randn(3, 4, 20), torch.randn(20)]
