"""Scores of features against a prototype for each class; in training each prototype moves to its class's mean.
Labels below zero are unknown."""

import torch
import torch.nn.functional as F
from torch import nn


class Model(nn.Module):
    def __init__(self, classes, size):
        super().__init__()
        self.register_buffer("prototypes", torch.randn(classes, size))
        self.register_buffer("seen", torch.zeros(classes))

    def forward(self, features, labels):
        known = F.normalize(self.prototypes, dim=-1)
        scores = F.normalize(features, dim=-1) @ known.t() / 0.1
        if self.training:
            with torch.no_grad():
                for label in range(self.prototypes.shape[0]):
                    mine = features[labels == label]
                    if mine.shape[0] > 0:
                        self.prototypes[label].mul_(0.9).add_(0.1 * mine.mean(dim=0))
                        self.seen[label] += mine.shape[0]
        return scores


def get_inputs():
    return [torch.randn(100, 32), torch.randperm(100)]


def get_init_inputs():
    return [100, 32]
