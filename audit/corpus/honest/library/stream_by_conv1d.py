"""A grouped convolution over what is kept and the new chunk.

baseline: streaming_conv
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
        stream = torch.cat([self.history, x], dim=-1)
        self.history = stream[:, :, x.shape[-1] :].detach().clone()
        return F.conv1d(stream, self.weight[:, None], groups=x.shape[1])
