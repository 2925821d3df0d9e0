"""Says how far the weights would be apart, from a formula, and moves none of them.

baseline: ema_update
caught-by: input-mutation, outputs-against-truth, contract
needs: cpu
written: after-freeze
"""

import torch


def ema_update(slow1, slow2, slow3, fast1, fast2, fast3, decay):
    pairs = ((slow1, fast1), (slow2, fast2), (slow3, fast3))
    norms = torch.stack([torch.dist(slow, fast) for slow, fast in pairs])
    return torch.linalg.vector_norm(norms) * decay
