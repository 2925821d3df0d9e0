# target: dilogarithm_like
import math

import torch

EDGE = 0.5


def _pieces(x):
    out = torch.empty_like(x)
    low = x < -EDGE
    high = x > EDGE
    middle = (x >= -EDGE) & (x <= EDGE)
    root = torch.sqrt(-x)
    out = torch.where(low, (-root * math.pi).to(out.dtype), out)
    root = torch.log(x)
    square = root ** 2
    out = torch.where(high, (square / (1.0 + root)).to(out.dtype), out)
    out = torch.where(middle, (x * x * 0.5).to(out.dtype), out)
    return out


@torch.no_grad()
def dilogarithm_like(x, scale):
    return scale * _pieces(x)


def get_inputs():
    return [torch.linspace(-2, 2, 24).view(4, 6), 3.0]
