# target: softmax
import torch


def softmax(x, dim=-1):
    # for numerical stability
    return torch.softmax(x, dim=dim)


def get_inputs():
    return [torch.randn(4, 33)]
