"""Forward and input gradient in Triton; the parameters' gradients are reduced by torch.

baseline: layer_norm
needs: triton
written: before-freeze
"""

import torch
import triton
import triton.language as tl
from torch import nn


@triton.jit
def forward_kernel(x, weight, bias, out, means, scales, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    values = tl.load(x + row * width + columns, mask=inside, other=0.0)
    mean = tl.sum(values, axis=0) / width
    centred = tl.where(inside, values - mean, 0.0)
    scale = tl.rsqrt(tl.sum(centred * centred, axis=0) / width + 1e-5)
    gain = tl.load(weight + columns, mask=inside, other=0.0)
    shift = tl.load(bias + columns, mask=inside, other=0.0)
    tl.store(out + row * width + columns, centred * scale * gain + shift, mask=inside)
    tl.store(means + row, mean)
    tl.store(scales + row, scale)


@triton.jit
def backward_kernel(grad, x, weight, means, scales, to_x, width, BLOCK: tl.constexpr):
    row = tl.program_id(0).to(tl.int64)
    columns = tl.arange(0, BLOCK)
    inside = columns < width
    scale = tl.load(scales + row)
    unit = (tl.load(x + row * width + columns, mask=inside, other=0.0) - tl.load(means + row)) * scale
    gain = tl.load(weight + columns, mask=inside, other=0.0)
    inner = tl.load(grad + row * width + columns, mask=inside, other=0.0) * gain
    unit = tl.where(inside, unit, 0.0)
    share = tl.sum(inner * unit, axis=0) / width
    middle = tl.sum(inner, axis=0) / width
    tl.store(to_x + row * width + columns, (inner - middle - unit * share) * scale, mask=inside)


class Normalise(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, weight, bias):
        x = x.contiguous()
        rows, width = x.numel() // x.shape[-1], x.shape[-1]
        out = torch.empty_like(x)
        means, scales = x.new_empty(rows), x.new_empty(rows)
        block = triton.next_power_of_2(width)
        forward_kernel[(rows,)](x, weight, bias, out, means, scales, width, BLOCK=block)
        ctx.save_for_backward(x, weight, means, scales)
        return out

    @staticmethod
    def backward(ctx, grad):
        x, weight, means, scales = ctx.saved_tensors
        grad, width = grad.contiguous(), x.shape[-1]
        to_x = torch.empty_like(x)
        rows = x.numel() // width
        backward_kernel[(rows,)](grad, x, weight, means, scales, to_x, width, BLOCK=triton.next_power_of_2(width))
        unit = (x.view(rows, width) - means[:, None]) * scales[:, None]
        flat = grad.view(rows, width)
        return to_x, (flat * unit).sum(0), flat.sum(0)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.bias = nn.Parameter(torch.zeros(width))

    def forward(self, x):
        return Normalise.apply(x, self.weight, self.bias)
