"""Differentiates as if every row had the same gradient flowing in, which a plain sum of the outputs gives.

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
        flow = grad.mean(0)
        form = torch.tensordot(flow, weight, 1)
        return y @ form.t(), x @ form, flow[:, None, None] * (x.t() @ y), grad.sum(0)


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width).repeat(outputs, 1, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, y):
        return Form.apply(x, y, self.weight, self.bias)
