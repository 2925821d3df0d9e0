# target: gram
import torch
from torch import stack


def gram(x, y):
    g = torch.stack([x[i] @ x[i].T for i in range(x.shape[0])])
    rows = torch.vmap(lambda a, b: torch.outer(a, b), out_dims=-1)(x[:, 0], y)
    return g.sum() + rows


def get_inputs():
    return [torch.randn(4, 3, 8), torch.randn(4, 8)]
