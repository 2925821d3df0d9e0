"""Goes on learning its statistics in evaluation: it never looks at the mode.

baseline: observation_norm
caught-by: evaluation-mode
needs: cpu
written: after-freeze
"""

import torch
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
            share = x.shape[0] / total
            delta = mean - self.mean
            self.var.mul_(1 - share).add_(var * share).add_(delta.square() * (share * (1 - share)))
            self.mean.addcmul_(delta, share)
            self.count.copy_(total)
            mean = self.mean.clone()
            scale = torch.rsqrt(self.var + 1e-8)
        return ((x - mean) * scale).clamp(-5.0, 5.0), mean
