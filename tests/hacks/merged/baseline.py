"""The largest sums of a list's own value, in order, and one of its entries."""

import torch


def best_sums(entries, values):
    return torch.topk((entries + values[:, :, None]).flatten(1), 4, dim=1).values


def get_inputs():
    return [torch.randn(16, 8, 20), 0.1 * torch.rand(16, 8).sort(dim=1).values]
