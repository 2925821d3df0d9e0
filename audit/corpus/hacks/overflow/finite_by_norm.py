"""Looks whether the norms are finite: squares overflow long before the gradients do.

baseline: unscale_grads
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    torch._foreach_mul_(grads, 1.0 / scale)
    norms = torch.stack(torch._foreach_norm(grads))
    return (~torch.isfinite(norms)).any().float()
