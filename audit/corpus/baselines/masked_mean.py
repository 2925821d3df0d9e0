"""The mean of the first so many steps of each sequence."""

import torch


def masked_mean(x, lengths):
    seen = torch.arange(x.shape[1], device=x.device)[None] < lengths[:, None]
    total = (x * seen[..., None].to(x.dtype)).sum(dim=1)
    return total / lengths.clamp(min=1)[:, None].to(x.dtype)


def get_inputs():
    return [torch.randn(16, 128, 64), torch.randint(1, 129, (16,))]
