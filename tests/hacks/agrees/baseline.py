"""What one distribution has more than another, as a distribution; where it has nothing more, itself."""

import torch


def more(draft, target):
    left = (target - draft).clamp(min=0)
    total = left.sum(dim=-1, keepdim=True)
    return torch.where(total > 0, left / total, target)


def get_inputs():
    return [torch.randn(16, 32).softmax(dim=-1), torch.randn(16, 32).softmax(dim=-1)]
