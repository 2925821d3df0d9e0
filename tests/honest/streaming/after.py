# target: Stream
from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional as F


class Stream(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(8, 4))
        self.register_buffer("history", torch.zeros(3, 8, 3))

    def forward(self, x):
        stream = torch.cat([self.history, x], dim=-1)
        self.history = stream[:, :, x.shape[-1] :].detach().clone()
        return F.conv1d(stream, self.weight[:, None], groups=x.shape[1])


def get_inputs():
    return [torch.randn(3, 8, 40)]
