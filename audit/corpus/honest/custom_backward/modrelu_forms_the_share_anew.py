"""An own backward of the activation, which forms the share and its derivative anew, and a product that adds the sample.

baseline: phase_rnn
needs: cpu
written: after-freeze
"""

import torch
from torch import nn

EPS = 1e-5


class ModReLU(torch.autograd.Function):
    @staticmethod
    def forward(ctx, total, bias):
        ctx.save_for_backward(total, bias)
        modulus = total.abs()
        return total * torch.relu(modulus + bias).div_(modulus.add_(EPS))

    @staticmethod
    def backward(ctx, grad):
        total, bias = ctx.saved_tensors
        modulus = total.abs()
        raised = modulus + bias
        share = torch.relu(raised) / (modulus + EPS)
        along = (grad * total.conj()).real / (modulus + EPS)
        passed = (raised > 0).to(along.dtype)
        return grad * share + total.sgn() * (along * (passed - share)), (along * passed).sum_to_size(bias.shape)


class Model(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(width, width, dtype=torch.complex64) / width**0.5)
        self.bias = nn.Parameter(0.1 * torch.randn(width))

    def forward(self, x):
        weight, state, states = self.weight.mH, None, []
        for sample in x:
            total = sample if state is None else torch.addmm(sample, state, weight)
            state = ModReLU.apply(total, self.bias)
            states.append(state)
        return torch.stack(states)
