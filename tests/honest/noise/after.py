# target: sampled
"""The same numbers in the same order, and one pass over them."""

from __future__ import annotations

import torch


def sampled(x, weights):
    noise = torch.randn(x.shape, dtype=torch.bfloat16)
    jitter = torch.rand_like(x).mul_(2).sub_(1)
    kept = torch.empty_like(x).bernoulli_(torch.full_like(x, 0.75))
    rows = torch.multinomial(weights, 8)
    steps = torch.empty_like(x).normal_(0.0, 2.0)
    return torch.addcmul(0.001 * steps, x + 0.1 * noise.to(x.dtype) + 0.01 * jitter, kept), x.gather(1, rows)


def get_inputs():
    return [torch.randn(32, 64), torch.rand(32, 64) + 0.1]
