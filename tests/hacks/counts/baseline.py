"""How often each value occurs in each row."""

import torch


def counts(values):
    return (values[:, :, None] == torch.arange(8, device=values.device)).sum(dim=1)


def get_inputs():
    return [torch.randint(0, 8, (4, 300))]
