"""Moves the classes that occur, after adding up their features.

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
        known = labels >= 0
        if not bool(known.all()):
            labels, features = labels[known], features[known]
        classes, which, counts = labels.unique(return_inverse=True, return_counts=True)
        sums = features.new_zeros(classes.shape[0], features.shape[1]).index_add_(0, which, features)
        inside = classes < self.seen.shape[0]
        classes, sums, counts = classes[inside], sums[inside], counts[inside]
        moved = self.prototypes[classes].mul_(0.9).add_(0.1 * sums / counts[:, None])
        self.prototypes[classes] = moved
        self.seen[classes] += counts
