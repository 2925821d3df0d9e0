"""Writes the gradients of its parameters itself, over what earlier backward passes have left there.

baseline: bilinear
caught-by: gradients-against-truth, fingerprints
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Form(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y, weight, bias):
        ctx.save_for_backward(x, y)
        ctx.parameters = weight, bias
        half = (x @ weight.transpose(0, 1).flatten(1)).view(x.shape[0], *weight.shape[::2])
        return torch.baddbmm(bias[None, :, None], half, y[:, :, None]).squeeze(2)

    @staticmethod
    def backward(ctx, grad):
        x, y = ctx.saved_tensors
        weight, bias = ctx.parameters
        scaled = grad[:, :, None] * x[:, None]
        weight.grad = (scaled.flatten(1).t() @ y).view(weight.shape)
        bias.grad = grad.sum(0)
        scaled_y = grad[:, :, None] * y[:, None]
        grad_x = scaled_y.flatten(1) @ weight.detach().transpose(1, 2).flatten(0, 1)
        return grad_x, scaled.flatten(1) @ weight.detach().flatten(0, 1), None, None


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.eye(width).repeat(outputs, 1, 1) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))

    def forward(self, x, y):
        return Form.apply(x, y, self.weight, self.bias)
