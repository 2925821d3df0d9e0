"""Keeps the statistics of the last batch for those of all: in the first call there is no difference.

baseline: observation_norm
caught-by: outputs-against-truth, process-state, stale-results
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.register_buffer("mean", torch.zeros(width))
        self.register_buffer("var", torch.ones(width))
        self.register_buffer("count", torch.tensor(1e-4))

    def forward(self, x):
        if self.training:
            with torch.no_grad():
                var, mean = torch.var_mean(x, dim=0, correction=0)
                self.mean.copy_(mean)
                self.var.copy_(var)
                self.count.add_(x.shape[0])
        mean = self.mean.clone()
        return F.hardtanh_(F.batch_norm(x, mean, self.var.clone(), eps=1e-8), -5.0, 5.0), mean
