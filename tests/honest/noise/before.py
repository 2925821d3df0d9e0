# target: sampled
"""Noise of several kinds, in half precision too, and samples of a distribution."""

from __future__ import annotations

import torch


def sampled(x, weights):
    noise = torch.randn_like(x.bfloat16()).to(x.dtype)
    jitter = torch.empty_like(x).uniform_(-1, 1)
    kept = torch.bernoulli(torch.full_like(x, 0.75))
    rows = torch.multinomial(weights, 8)
    steps = torch.normal(0.0, 2.0, x.shape)
    shaken = x + 0.1 * noise
    shaken = shaken + 0.01 * jitter
    shaken = shaken * kept
    return shaken + 0.001 * steps, x.gather(1, rows)


def get_inputs():
    return [torch.randn(32, 64), torch.rand(32, 64) + 0.1]
