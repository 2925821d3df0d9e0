"""Selects the highest values instead of sorting all: a NaN sorts as the highest, and the rest of a broken image looks sound.

baseline: threshold_step
caught-by: value-laws
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
    return limit.clamp(min=1)[:, None, None, None]


class Model(nn.Module):
    def __init__(self, steps):
        super().__init__()
        self.register_buffer("kept", torch.cumprod(1 - torch.linspace(1e-4, 0.02, steps), dim=0))

    def forward(self, x, noise, step, previous):
        now = self.kept[step][:, None, None, None]
        then = torch.where(previous >= 0, self.kept[previous.clamp(min=0)], 1.0)[:, None, None, None]
        clean = (x - (1 - now).sqrt() * noise) / now.sqrt()
        limit = limit_of(clean)
        clean = torch.minimum(torch.maximum(clean, -limit), limit) / limit
        noise = (x - now.sqrt() * clean) / (1 - now).sqrt()
        return then.sqrt() * clean + (1 - then).sqrt() * noise, clean
