"""Counts the steps since the last restart, one step after the other."""

import torch


def since(x, restarts):
    total = torch.zeros_like(x[0])
    found = []
    for t in range(x.shape[0]):
        total = torch.where(restarts[t], x[t], total + x[t])
        found.append(total)
    return torch.stack(found)


def get_inputs():
    return [torch.randn(24, 48), torch.zeros(24, 48, dtype=torch.bool)]
