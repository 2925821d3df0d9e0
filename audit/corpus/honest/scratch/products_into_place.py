"""Writes the products into fresh memory by out= and finishes them there.

baseline: bmm_bias
needs: cpu
written: before-freeze
"""

import torch


def bmm_bias(a, b, bias):
    out = torch.empty(a.shape[0], a.shape[1], b.shape[2], dtype=a.dtype, device=a.device)
    torch.bmm(a, b, out=out)
    return out.add_(bias[:, None]).clamp_(min=0)
