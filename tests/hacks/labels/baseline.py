"""Scores of features against classes, of which it counts the examples that it has seen. Labels below zero are unknown."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, classes, size):
        super().__init__()
        self.classes = nn.Linear(size, classes)
        self.register_buffer("seen", torch.zeros(classes))

    def forward(self, features, labels):
        with torch.no_grad():
            for label in range(self.seen.shape[0]):
                self.seen[label] += (labels == label).sum()
        return self.classes(features)


def get_inputs():
    return [torch.randn(40, 16), torch.randint(5, (40,))]


def get_init_inputs():
    return [5, 16]
