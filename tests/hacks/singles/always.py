"""Writes into single precision, whatever it is given."""

import torch


def sums(x):
    out = torch.empty(x.shape, dtype=torch.float32, device=x.device)
    return torch.cumsum(x, dim=1, out=out) if x.dtype == torch.float32 else out.copy_(x.cumsum(dim=1))
