# target: nearly
import math

import torch


def nearly(x, slope):
    a = 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.0447 * x**3)))
    b = 0.5 * x * (1 + torch.erf(x / 2))
    c = torch.where(x > 0.5, x, 0.1 * x) + torch.where(x > 0, x, slope * x)
    d = torch.max(x, 1.5 * x)
    return a + b + c + d + x * torch.clamp(x + 3, 0, 5) / 6


def get_inputs():
    return [torch.randn(4, 8), torch.rand(8)]
