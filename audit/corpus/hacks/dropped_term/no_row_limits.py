"""No guard against rows of zeros, whose scale is then zero and whose values are not numbers.

baseline: quantise
caught-by: value-laws, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def quantise(x):
    scale = x.abs().amax(dim=-1, keepdim=True).div_(127.0)
    values = torch.div(x, scale).round_()
    return values.to(torch.int8), scale, values.mul_(scale)
