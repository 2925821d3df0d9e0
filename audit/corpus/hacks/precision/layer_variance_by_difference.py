"""Gets the variance of a row from two sums it takes in one pass, and lets them cancel where the mean is large.

baseline: layer_norm
caught-by: outputs-against-truth, gradients-against-truth, value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        width = max(x.shape[-1], 1)
        mean = x.sum(dim=-1, keepdim=True) / width
        square = torch.linalg.vector_norm(x, dim=-1, keepdim=True).square() / width
        scale = torch.rsqrt((square - mean * mean).clamp_(min=0) + 1e-5)
        ctx.save_for_backward(x, weight, mean, scale)
        return torch.addcmul(bias, (x - mean).mul_(scale), weight)

    @staticmethod
    def backward(ctx, grad):
        x, weight, mean, scale = ctx.saved_tensors
        leading = tuple(range(x.dim() - 1))
        through, gain, shift = torch.ops.aten.native_layer_norm_backward(
            grad.contiguous(), x.contiguous(), [x.shape[-1]], mean, scale, weight, weight, [True, False, False]
        )
        unit = (x - mean).mul_(scale)
        return through, (grad * unit).sum(leading), grad.sum(leading)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
