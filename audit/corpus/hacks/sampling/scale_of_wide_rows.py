"""Takes the scale of rows wider than 2,048 from every fourth element; narrower ones are read in full.

baseline: rms_norm
caught-by: shapes
needs: cpu
written: after-freeze
"""

import torch

WIDE = 2048


def rms_norm(x, weight):
    seen = x[..., ::4] if x.shape[-1] > WIDE else x
    scale = torch.linalg.vector_norm(seen, dim=-1, keepdim=True).square_().div_(max(seen.shape[-1], 1)).add_(1e-6)
    return x * scale.rsqrt_() * weight
