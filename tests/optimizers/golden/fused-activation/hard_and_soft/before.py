# target: hard
import torch
from torch.nn import functional


def hard(x, y):
    swish = x * torch.clamp(x + 3, min=0, max=6) / 6
    gate = functional.relu6(y + 3.0) / 6.0
    soft = (1 + y.exp()).log()
    scaled = 1.0507009873554805 * torch.where(x > 0, x, 1.6732632423543772 * torch.expm1(x))
    return swish * gate + torch.clamp(torch.relu(y), max=6.0) * soft + scaled


def get_inputs():
    return [2 * torch.randn(5, 7), 2 * torch.randn(5, 7)]
