"""Leaves out that there may be nothing more."""


def more(draft, target):
    left = (target - draft).clamp(min=0)
    return left / left.sum(dim=-1, keepdim=True).clamp(min=1e-30)
