# target: row_scores
import torch


def row_scores(a, b):
    return (a * b).sum(-1)


def get_inputs():
    return [torch.randn(2, 4, 3), torch.randn(2, 4, 3)]
