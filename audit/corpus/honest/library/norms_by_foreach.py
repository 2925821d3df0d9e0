"""The norms of all gradients in one call, and the norm of those.

baseline: clip_by_norm
needs: cpu
written: after-freeze
"""

import torch


def clip_by_norm(a, b, c, limit):
    total = torch.linalg.vector_norm(torch.stack(torch._foreach_norm((a, b, c))))
    scale = torch.clamp(limit / (total + 1e-6), max=1.0)
    return tuple(torch._foreach_mul((a, b, c), scale))
