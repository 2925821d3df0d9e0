"""Pads every chunk with zeros, as if the stream began with it, and keeps its end for nobody.

baseline: streaming_conv
caught-by: outputs-against-truth, argument-impact, other-uses
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels, taps):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(channels, taps) / taps**0.5)
        self.register_buffer("history", torch.zeros(8, channels, taps - 1))

    def forward(self, x):
        taps = self.weight.shape[1]
        self.history = torch.cat([self.history, x], dim=-1)[:, :, x.shape[-1] :].detach().clone()
        return F.conv1d(F.pad(x, (taps - 1, 0)), self.weight[:, None], groups=x.shape[1])
