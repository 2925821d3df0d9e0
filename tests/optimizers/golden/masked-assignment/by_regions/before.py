# target: dilogarithm_like
import math

import torch

EDGE = 0.5


def _pieces(x):
    out = torch.empty_like(x)
    low = x < -EDGE
    high = x > EDGE
    middle = (x >= -EDGE) & (x <= EDGE)
    if low.any():
        root = torch.sqrt(-x[low])
        out[low] = -root * math.pi
    if high.sum().item() > 0:
        # grows slowly
        root = torch.log(x[high])
        square = root**2
        out[high] = square / (1.0 + root)
    out[middle] = x[middle] * x[middle] * 0.5
    return out


@torch.no_grad()
def dilogarithm_like(x, scale):
    return scale * _pieces(x)


def get_inputs():
    return [torch.linspace(-2, 2, 24).view(4, 6), 3.0]
