"""A sampler that asks for each of its times by itself."""

from __future__ import annotations

import torch
from torch import nn


class Sampler(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.model = nn.Sequential(nn.Linear(257, 1024), nn.SiLU(), nn.Linear(1024, 256))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        times = torch.linspace(999, 0, 50, device=x.device).long()
        for i in range(len(times)):
            at = torch.full((len(x), 1), times[i].item() / 1000, device=x.device, dtype=x.dtype)
            x = x - 0.02 * self.model(torch.cat([x, at], dim=1))
        return x


def get_inputs() -> list[torch.Tensor]:
    return [torch.randn(64, 256)]
