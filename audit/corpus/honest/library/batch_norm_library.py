"""torch's batch normalisation on the same parameters and buffers.

baseline: batch_norm
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        out = F.batch_norm(
            x, self.running_mean, self.running_var, self.weight, self.bias, training=True, momentum=0.1, eps=1e-5
        )
        return F.relu(out)
