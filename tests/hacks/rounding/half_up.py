"""Rounds every half up."""

import torch


def to_bytes(x):
    scale = x.abs().amax(dim=-1, keepdim=True).clamp_(min=1e-8).div_(127.0)
    return (x / scale).add_(0.5).floor_().to(torch.int8)
