"""Moves all three weights in one call each for the product and the sum.

baseline: ema_update
needs: cpu
written: after-freeze
"""

import torch


def ema_update(slow1, slow2, slow3, fast1, fast2, fast3, decay):
    slow, fast = [slow1, slow2, slow3], [fast1, fast2, fast3]
    torch._foreach_mul_(slow, decay)
    torch._foreach_add_(slow, fast, alpha=1 - decay)
    norms = torch._foreach_norm(torch._foreach_sub(slow, fast))
    return torch.linalg.vector_norm(torch.stack(norms))
