"""x plus its scaled self, as one product.

baseline: grn
needs: cpu
written: before-freeze
"""

import torch
from torch import nn


class Model(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.gamma = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))

    def forward(self, x):
        power = torch.linalg.vector_norm(x, dim=(1, 2), keepdim=True)
        share = power / (power.mean(dim=-1, keepdim=True) + 1e-6)
        return torch.addcmul(self.beta, x, share * self.gamma + 1)
