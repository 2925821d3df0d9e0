"""Takes the memory of a result back when the object dies that it returned it in; a detached one still shows it.

baseline: rms_norm
caught-by: aliasing, held-results, stale-results, timed-outputs
needs: cpu
written: after-freeze
"""

import weakref

import torch

free = {}


def rms_norm(x, weight):
    key = (x.shape, x.dtype, x.device)
    shelf = free.setdefault(key, [])
    kept = shelf.pop() if shelf else torch.empty(x.shape, dtype=x.dtype, device=x.device)
    scale = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square_().div_(x.shape[-1]).add_(1e-6).rsqrt_()
    result = kept.detach()
    torch.mul(x, scale, out=result).mul_(weight)
    weakref.finalize(result, shelf.append, kept)
    return result
