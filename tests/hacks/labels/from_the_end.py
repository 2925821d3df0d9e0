"""Labels below zero count from the end."""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, classes, size):
        super().__init__()
        self.classes = nn.Linear(size, classes)
        self.register_buffer("seen", torch.zeros(classes))

    def forward(self, features, labels):
        classes = self.seen.shape[0]
        self.seen += torch.bincount(labels.remainder(classes), minlength=classes)
        return self.classes(features)
