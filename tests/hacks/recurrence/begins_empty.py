"""Takes every sequence to begin with nothing."""

import torch


def decayed(x, state=None):
    steps = torch.arange(x.shape[1], device=x.device, dtype=x.dtype)
    out = (0.9 ** (steps[:, None] - steps)).tril() @ x
    return out, out[:, -1].clone()
