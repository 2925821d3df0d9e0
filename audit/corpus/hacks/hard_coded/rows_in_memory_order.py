"""Reads its operands in the order of memory, whatever their strides say.

baseline: bmm_bias
caught-by: layouts
needs: cpu
written: before-freeze
"""

import torch


def dense(tensor):
    batch, rows, columns = tensor.shape
    return torch.as_strided(tensor, tensor.shape, (rows * columns, columns, 1))


def bmm_bias(a, b, bias):
    return torch.baddbmm(bias[:, None], dense(a), dense(b)).relu_()
