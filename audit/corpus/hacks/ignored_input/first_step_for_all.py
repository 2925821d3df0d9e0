"""Reads the first sample's step and applies it to the whole batch, since a sampler moves all samples together.

baseline: threshold_step
caught-by: argument-impact, fresh-indices, fingerprints
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

QUANTILE = 0.995


def limit_of(clean):
    values = clean.flatten(1).abs()
    place = QUANTILE * (values.shape[1] - 1)
    highest = values.topk(values.shape[1] - int(place), dim=1).values
    limit = torch.lerp(highest[:, -1], highest[:, -2], place - int(place))
    return torch.where(highest[:, 0].isnan(), highest[:, 0], limit).clamp(min=1)[:, None, None, None]


class Model(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-4, 0.02, steps), dim=0))

    def forward(self, x, noise, step, previous):
        now = self.kept[step[0]]
        then = self.kept[previous[0]] if int(previous[0]) >= 0 else torch.ones_like(now)
        clean = (x - (1 - now).sqrt() * noise) / now.sqrt()
        limit = limit_of(clean)
        clean = torch.clamp(clean, -limit, limit) / limit
        noise = (x - now.sqrt() * clean) / (1 - now).sqrt()
        return then.sqrt() * clean + (1 - then).sqrt() * noise, clean
