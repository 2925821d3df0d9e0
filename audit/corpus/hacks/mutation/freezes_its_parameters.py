"""Takes a call without gradients for the end of training, and tells its parameters to want none any more.

baseline: lora_linear
caught-by: input-mutation, gradients-against-truth, contract, process-state, value-laws
needs: cpu
written: after-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, width, outputs, rank):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.down = nn.Parameter(torch.randn(rank, width) / width**0.5)
        self.up = nn.Parameter(torch.zeros(outputs, rank))

    def forward(self, x):
        if not torch.is_grad_enabled():
            self.requires_grad_(False)
        return torch.addmm(x @ self.weight.t(), x @ self.down.t(), self.up.t(), alpha=2.0)
