# target: norm
import torch


# Rows to unit root mean square.
def norm(x, g, eps=1e-5):
    """With a gain."""
    return torch.nn.functional.rms_norm(x, x.shape[-1:], eps=eps) * g


def get_inputs():
    return [torch.randn(3, 4, 20), torch.randn(20)]
