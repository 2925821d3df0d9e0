# target: attend
from __future__ import annotations

import torch


def attend(scores, allowed):
    """Where nothing is allowed there is nothing, as torch's own attention has it."""
    kept = scores.masked_fill(~allowed, torch.finfo(scores.dtype).min)
    shares = torch.where(allowed, (kept - kept.amax(dim=-1, keepdim=True)).exp(), 0.0)
    return shares / shares.sum(dim=-1, keepdim=True).clamp(min=1e-30)


def get_inputs():
    return [torch.randn(16, 64), torch.rand(16, 64) < 0.5]
