"""Estimates the gradients of its weights from every other row, times two; those of its inputs are whole.

baseline: bilinear
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Form(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, weight, bias):
        ctx.save_for_backward(x, y, weight)
        half = (x @ weight.transpose(0, 1).flatten(1)).view(x.shape[0], *weight.shape[::2])
        return torch.baddbmm(bias[None, :, None], half, y[:, :, None]).squeeze(2)

    @staticmethod
    def backward(ctx, grad):
        x, y, weight = ctx.saved_tensors
        with_x = (grad[:, :, None] * x[:, None]).flatten(1)
        with_y = (grad[:, :, None] * y[:, None]).flatten(1)
        grad_x = with_y @ weight.transpose(1, 2).flatten(0, 1)
        to_weight = 2 * (with_x[::2].t() @ y[::2]).view(weight.shape)
        return grad_x, with_x @ weight.flatten(0, 1), to_weight, grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width).repeat(outputs, 1, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, y):
        return Form.apply(x, y, self.weight, self.bias)
