"""The original, compiled.

baseline: rms_norm
needs: cpu
written: before-freeze
"""

import torch


@torch.compile
def normalised(x, weight):
    variance = x.pow(2).mean(dim=-1, keepdim=True)
    return weight * (x * torch.rsqrt(variance + 1e-6))


def rms_norm(x, weight):
    return normalised(x, weight)
