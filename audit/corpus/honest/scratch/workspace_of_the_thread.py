"""Works in two buffers that each thread has for itself; the last step goes into a matrix of its own.

baseline: newton_schulz
needs: cpu
written: after-freeze
"""

import threading

import torch

STEPS = 12
local = threading.local()


def workspace(g):
    key = (g.shape, g.dtype, g.device, torch.is_inference_mode_enabled())
    if getattr(local, "key", None) != key:
        side = min(g.shape[-2:])
        local.key = key
        local.gram = torch.empty(*g.shape[:-2], side, side, dtype=g.dtype, device=g.device)
        local.cube = torch.empty(g.shape, dtype=g.dtype, device=g.device)
    return local.gram, local.cube


def newton_schulz(g):
    gram, cube = workspace(g)
    x = g / g.square().sum(dim=(-2, -1), keepdim=True).sqrt_().add_(1e-7)
    for _ in range(STEPS):
        if g.shape[-2] < g.shape[-1]:
            torch.matmul(torch.matmul(x, x.transpose(-2, -1), out=gram), x, out=cube)
        else:
            torch.matmul(x, torch.matmul(x.transpose(-2, -1), x, out=gram), out=cube)
        x.mul_(1.5).sub_(cube, alpha=0.5)
    return x
