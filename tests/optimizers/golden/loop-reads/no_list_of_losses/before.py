# target: weighted
import torch


def weighted(x, losses):
    total = x
    for i in range(3):
        total = total * losses[i].item()
    return total


def get_inputs():
    return [torch.randn(4), torch.rand(3)]
