"""Switches gradients off for its caller, too."""

import torch


def counts(values):
    torch.set_grad_enabled(False)
    inside = (values >= 0) & (values < 8)
    found = torch.zeros(values.shape[0], 9, dtype=torch.int64, device=values.device)
    found.scatter_add_(1, torch.where(inside, values, 8).long(), torch.ones_like(values, dtype=torch.int64))
    return found[:, :8].contiguous()
