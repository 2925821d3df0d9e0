"""Each row goes to the first or the last expert, by the sign of its first element."""

import torch


def routed(x, experts):
    chosen = (x[:, 0] > 0).long()
    return torch.stack([row @ experts[i] for row, i in zip(x, chosen.tolist(), strict=True)])


def get_inputs():
    return [torch.randn(40, 16), torch.randn(2, 16, 12)]
