"""The mean of each sequence over its own length."""

import torch


def means(x, lengths):
    known = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return (x * known[..., None]).sum(dim=1) / lengths[:, None]


def get_inputs():
    return [torch.randn(12, 64, 8), (20 + torch.randperm(40)[:12]).sort(descending=True).values]
