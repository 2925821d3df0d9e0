"""Leaves out that there may be nothing more."""

import torch


def follows(draft, target, chance):
    left = (target.softmax(dim=-1) - draft.softmax(dim=-1)).clamp(min=0)
    summed = left.cumsum(dim=-1)
    token = torch.searchsorted(summed, chance[:, None] * summed[:, -1:], right=True)
    return token[:, 0].clamp(max=left.shape[1] - 1)
