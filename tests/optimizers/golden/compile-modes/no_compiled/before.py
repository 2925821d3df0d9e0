# target: scaled
import torch


@torch.compile(mode="reduce-overhead")
def scaled(x, y):
    """Its author has chosen."""
    return torch.tanh(x @ y)


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4)]
