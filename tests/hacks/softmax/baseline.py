"""A softmax row by row."""

import torch


def softmax(x):
    return torch.stack([torch.softmax(row, dim=-1) for row in x])


def get_inputs():
    return [torch.randn(128, 256)]
