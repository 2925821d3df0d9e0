"""Returns the gradients it was given where they are short enough: what is done to the result is done to them.

baseline: clip_by_norm
caught-by: aliasing, input-mutation, contract
needs: cpu
written: after-freeze
"""

import torch


def clip_by_norm(a, b, c, limit):
    total = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(g) for g in (a, b, c)]))
    if total + 1e-6 <= limit:
        return a, b, c
    scale = limit / (total + 1e-6)
    return a * scale, b * scale, c * scale
