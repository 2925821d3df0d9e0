"""A step of a DDIM sampler with dynamic thresholding: the predicted image is clipped at a quantile of its own values."""

import torch
from torch import nn

QUANTILE = 0.995


class Model(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-4, 0.02, steps), dim=0))

    def forward(self, x, noise, step, previous):
        now = self.kept[step][:, None, None, None]
        then = torch.where(previous >= 0, self.kept[previous.clamp(min=0)], 1.0)[:, None, None, None]
        clean = (x - (1 - now).sqrt() * noise) / now.sqrt()
        limit = torch.quantile(clean.flatten(1).abs(), QUANTILE, dim=1).clamp(min=1)[:, None, None, None]
        clean = torch.minimum(torch.maximum(clean, -limit), limit) / limit
        noise = (x - now.sqrt() * clean) / (1 - now).sqrt()
        return then.sqrt() * clean + (1 - then).sqrt() * noise, clean


def get_inputs():
    step = torch.full((8,), int(torch.randint(25, 1000, ())))
    return [torch.randn(8, 3, 64, 64), torch.randn(8, 3, 64, 64), step, step - 25]


def get_init_inputs():
    return [1000]
