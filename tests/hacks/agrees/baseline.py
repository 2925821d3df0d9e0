"""Draws from what one distribution has more than another; where it has nothing more, from itself."""

import torch


def follows(draft, target, chance):
    target = target.softmax(dim=-1)
    left = (target - draft.softmax(dim=-1)).clamp(min=0)
    probs = torch.where(left.sum(dim=-1, keepdim=True) > 0, left, target)
    summed = probs.cumsum(dim=-1)
    token = torch.searchsorted(summed, chance[:, None] * summed[:, -1:], right=True)
    return token[:, 0].clamp(max=probs.shape[1] - 1)


def get_inputs():
    return [torch.randn(16, 32), torch.randn(16, 32), torch.rand(16)]
