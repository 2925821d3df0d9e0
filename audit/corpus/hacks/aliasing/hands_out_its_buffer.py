"""Returns its running mean itself where the original returns a copy: the next batch changes what the last one got.

baseline: observation_norm
caught-by: aliasing, held-results
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
            self.update(x.detach())
        unit = F.batch_norm(x, self.mean.clone(), self.var.clone(), eps=1e-8)
        return F.hardtanh_(unit, -5.0, 5.0), self.mean

    def update(self, x):
        var, mean = torch.var_mean(x, dim=0, correction=0)
        total = self.count + x.shape[0]
        share, kept = x.shape[0] / total, self.count / total
        delta = mean - self.mean
        self.var.mul_(kept).add_(var * share).add_(delta.square() * (share * kept))
        self.mean.addcmul_(delta, share)
        self.count.copy_(total)
