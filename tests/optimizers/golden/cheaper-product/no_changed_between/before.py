# target: scores
import torch


def scores(a, b, v):
    product = a @ b
    b = b + 1
    inverse = torch.linalg.inv(a)
    a[0] = 0
    return product @ v.unsqueeze(-1) + b, inverse @ b


def get_inputs():
    return [torch.randn(4, 4), torch.randn(4, 4), torch.randn(4)]
