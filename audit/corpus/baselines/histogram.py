"""How often each value occurs in each row, and the running total."""

import torch

BINS = 64


def histogram(values):
    bins = torch.arange(BINS, device=values.device)
    counts = (values[:, :, None] == bins).sum(dim=1)
    return counts, counts.cumsum(dim=-1)


def get_inputs():
    return [torch.randint(0, BINS, (32, 512))]
