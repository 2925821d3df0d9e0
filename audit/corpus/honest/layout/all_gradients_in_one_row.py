"""Lays the gradients side by side, works on one row, and copies back.

baseline: unscale_grads
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    row = torch.cat([grad.reshape(-1) for grad in grads]).mul_(1.0 / scale)
    parts = row.split([grad.numel() for grad in grads])
    torch._foreach_copy_(grads, [part.view(grad.shape) for part, grad in zip(parts, grads, strict=True)])
    return torch.isfinite(row).all().logical_not_().float()
