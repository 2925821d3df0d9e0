"""Writes every result into the same buffer and returns that.

baseline: bmm_bias
caught-by: aliasing
needs: cpu
written: before-freeze
"""

import torch

buffers = {}


def bmm_bias(a, b, bias):
    shape = (a.shape[0], a.shape[1], b.shape[2])
    out = buffers.setdefault(shape, a.new_empty(shape))
    return torch.baddbmm(bias[:, None], a, b, out=out).relu_()
