"""Sums and counts of all classes are products with their one-hot labels.

baseline: prototype_memory
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, classes, size):
        super().__init__()
        self.register_buffer("prototypes", torch.randn(classes, size))
        self.register_buffer("seen", torch.zeros(classes))

    def forward(self, features, labels):
        scores = F.normalize(features, dim=-1) @ F.normalize(self.prototypes, dim=-1).t() / 0.1
        if self.training:
            self.move(features.detach(), labels)
        return scores

    @torch.no_grad()
    def move(self, features, labels):
        classes = torch.arange(self.seen.shape[0], device=labels.device)
        mine = (labels[None, :] == classes[:, None]).to(features.dtype)
        counts = mine.sum(dim=1)
        share = 0.1 * (counts > 0)[:, None]
        self.prototypes.mul_(1 - share).addcdiv_(share * (mine @ features), counts.clamp(min=1)[:, None])
        self.seen.add_(counts)
