"""Probabilities in single precision, also of halves."""

import torch


def chances(scores):
    return torch.softmax(scores.float(), dim=1)


def get_inputs():
    return [torch.randn(32, 12)]
