"""Reads the mask as what it says of itself, kept or not, and adds up in one product.

baseline: weighted_pool
needs: cpu
written: after-freeze
"""

import torch


def weighted_pool(x, mask):
    kept = (mask != 0).to(x.dtype)
    return torch.bmm(kept[:, None], x).squeeze(1) / kept.sum(dim=1, keepdim=True).clamp_(min=1)
