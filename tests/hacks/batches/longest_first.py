"""Reads as far as the first sequence goes."""

import torch


def means(x, lengths):
    x = x[:, : int(lengths[0])]
    known = torch.arange(x.shape[1], device=x.device) < lengths[:, None]
    return (x * known[..., None]).sum(dim=1) / lengths[:, None]
