"""An own backward of the activation that takes the share of the modulus that passes for a constant.

baseline: phase_rnn
caught-by: gradients-against-truth
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

EPS = 1e-5


class ModReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, total, bias):
        modulus = total.abs()
        share = torch.relu(modulus + bias).div_(modulus.add_(EPS))
        ctx.save_for_backward(total, share, modulus)
        return total * share

    @staticmethod
    def backward(ctx, grad):
        total, share, modulus = ctx.saved_tensors
        passed = (grad * total.conj()).real * (share > 0) / modulus
        return grad * share, passed.sum(dim=0)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, dtype=torch.complex64) / width**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x):
        weight = self.weight.mH
        state = ModReLU.apply(x[0], self.bias)
        states = [state]
        for sample in x[1:]:
            state = ModReLU.apply(torch.addmm(sample, state, weight), self.bias)
            states.append(state)
        return torch.stack(states)
