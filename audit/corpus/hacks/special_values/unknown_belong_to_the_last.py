"""Knows no unknown labels: those below zero count from the end.

baseline: prototype_memory
caught-by: outputs-against-truth, fresh-indices, value-laws, argument-impact, input-mutation
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
        classes = self.seen.shape[0]
        labels = labels.remainder(classes)
        counts = torch.bincount(labels, minlength=classes).to(features.dtype)
        sums = torch.zeros_like(self.prototypes).index_add_(0, labels, features)
        share = 0.1 * (counts > 0)[:, None]
        self.prototypes.mul_(1 - share).add_(share * sums / counts.clamp(min=1)[:, None])
        self.seen.add_(counts)
