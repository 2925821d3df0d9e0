# target: normalize
import torch


def normalize(adj, x):
    scale = torch.diag(adj.sum(1) ** -0.5)
    scale[0, 1] = 1.0
    other = torch.diag(adj.sum(0))
    for _ in range(2):
        x = other @ x
        other = other + 1
    return scale @ adj @ scale @ x


def get_inputs():
    return [torch.rand(4, 4) + 0.5, torch.randn(4, 3)]
