"""Keeps the variance of the batch where the unbiased one belongs: off by one in four thousand.

baseline: batch_norm
caught-by: outputs-against-truth, gradients-against-truth, contract
needs: cpu
written: after-freeze
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
        out, mean, scale = torch.native_batch_norm(x, self.weight, self.bias, None, None, True, 0.1, 1e-5)
        with torch.no_grad():
            self.running_mean.lerp_(mean, 0.1)
            self.running_var.lerp_(scale.pow(-2) - 1e-5, 0.1)
        return F.relu(out)
