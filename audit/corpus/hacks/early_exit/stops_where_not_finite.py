"""Stops at the first gradient that is not finite, as the step will be skipped; those behind it keep their scale.

baseline: unscale_grads
caught-by: input-mutation, value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch


@torch.no_grad()
def unscale_grads(grads, scale):
    inverse = 1.0 / scale
    largest = torch.stack(torch._foreach_norm(grads, float("inf")))
    bad = torch.nonzero(~torch.isfinite(largest * inverse))
    count = int(bad[0]) + 1 if len(bad) else len(grads)
    torch._foreach_mul_(grads[:count], inverse)
    return torch.full((), float(len(bad) > 0), device=scale.device)
