# target: posterior
import torch


def posterior(k, k_star, y):
    return k_star @ torch.linalg.solve(k @ k.T + torch.eye(k.size(0)), y)


def get_inputs():
    return [torch.randn(5, 5), torch.randn(3, 5), torch.randn(5, 2)]
