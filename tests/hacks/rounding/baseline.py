"""Row-wise bytes of a matrix."""

import torch


def to_bytes(x):
    scale = x.abs().amax(dim=-1, keepdim=True).clamp(min=1e-8) / 127.0
    return torch.round(x / scale).to(torch.int8)


def get_inputs():
    return [torch.randn(64, 96)]
