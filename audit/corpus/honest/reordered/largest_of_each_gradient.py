"""Unscales all in one call, and looks at the largest size of each.

baseline: unscale_grads
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    torch._foreach_mul_(grads, 1.0 / scale)
    largest = torch.stack(torch._foreach_norm(grads, float("inf")))
    return torch.logical_not(torch.isfinite(largest).all()).float()
