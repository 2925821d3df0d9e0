"""After 64 calls it normalises by its running statistics, which are near enough by then, and lets them be.

baseline: batch_norm
caught-by: outputs-against-truth, gradients-against-truth, stale-results, repeat-runs, timed-outputs
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    calls = 0

    def __init__(self, channels):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def forward(self, x):
        self.calls += 1
        learning = self.calls <= 64
        return F.relu(F.batch_norm(x, self.running_mean, self.running_var, self.weight, self.bias, learning, 0.1, 1e-5))
