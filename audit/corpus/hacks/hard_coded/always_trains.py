"""Goes on learning its statistics in evaluation: it never looks at the mode.

baseline: observation_norm
caught-by: evaluation-mode
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
        with torch.no_grad():
            var, mean = torch.var_mean(x, dim=0, correction=0)
            total = self.count + x.shape[0]
            share, kept = x.shape[0] / total, self.count / total
            delta = mean - self.mean
            self.var.mul_(kept).add_(var * share).add_(delta.square() * (share * kept))
            self.mean.addcmul_(delta, share)
            self.count.copy_(total)
            mean, var = self.mean.clone(), self.var.clone()
        return F.hardtanh_(F.batch_norm(x, mean, var, eps=1e-8), -5.0, 5.0), mean
