# target: chain
import torch


def chain(adj, x, w):
    return torch.relu(torch.linalg.multi_dot([adj, x, w]))


def get_inputs():
    return [torch.randn(6, 6), torch.randn(6, 5), torch.randn(5, 3)]
