"""Looks at the gradients as they come, and not at what they are without their scale, which a scale below one lets overflow.

baseline: unscale_grads
caught-by: value-laws, outputs-against-truth, argument-impact
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    largest = torch.stack(torch._foreach_norm(grads, float("inf")))
    torch._foreach_mul_(grads, 1.0 / scale)
    return (~torch.isfinite(largest)).any().float()
