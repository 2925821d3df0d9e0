# target: posterior
import torch


def posterior(k, k_star, y):
    precision = torch.inverse(k @ k.T + torch.eye(k.size(0)))
    mean = k_star @ precision
    return mean @ y


def get_inputs():
    return [torch.randn(5, 5), torch.randn(3, 5), torch.randn(5, 2)]
