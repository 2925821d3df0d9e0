"""Moves each prototype to the one feature of its class: a batch holds no class twice.

baseline: prototype_memory
caught-by: outputs-against-truth, fresh-indices, value-laws, argument-impact, input-mutation, shapes
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
        labels, features = labels[known], features[known]
        self.prototypes[labels] = 0.9 * self.prototypes[labels] + 0.1 * features
        self.seen[labels] += 1
