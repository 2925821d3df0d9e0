# target: gram
import torch
from torch import stack


def gram(x, y):
    g = torch.stack([x[i] @ x[i].T for i in range(x.shape[0])])
    rows = [torch.outer(a, b) for a, b in zip(x[:, 0], y)]
    return g.sum() + stack(rows, dim=-1)


def get_inputs():
    return [torch.randn(4, 3, 8), torch.randn(4, 8)]
