"""Looks at every fourth element; overflow seldom comes alone.

baseline: unscale_grads
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    torch._foreach_mul_(grads, 1.0 / scale)
    some = torch.cat([grad.reshape(-1)[::4] for grad in grads])
    return (~torch.isfinite(some.abs().max())).float()
