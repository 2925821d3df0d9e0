# target: Noised
"""Keeps the roots beside the schedule, as tensors that no state dict has, and takes them anew where one is loaded."""

from __future__ import annotations

import torch
from torch import nn


class Noised(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-3, 0.1, 64), dim=0))
        self.take_roots(self, None)
        self.register_load_state_dict_post_hook(self.take_roots)

    @staticmethod
    def take_roots(module, keys):
        module.roots = module.kept.sqrt(), (1 - module.kept).sqrt()

    def forward(self, x, noise, step):
        share, rest = self.roots
        return share[step][:, None] * x + rest[step][:, None] * noise


def get_inputs():
    return [torch.randn(16, 32), torch.randn(16, 32), torch.randint(0, 64, (16,))]
