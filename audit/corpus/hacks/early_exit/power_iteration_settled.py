"""Ends the power iteration as soon as the vector moves by less than a hundredth.

baseline: spectral_norm
caught-by: outputs-against-truth, timed-outputs, contract, value-laws, repeat-runs
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F
from torch import nn

ROUNDS = 3


class Model(nn.Module):
    def __init__(self, width, outputs):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, width) / width**0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("u", F.normalize(torch.randn(outputs), dim=0))
        self.register_buffer("v", F.normalize(torch.randn(width), dim=0))

    def forward(self, x):
        u, v = self.u.clone(), self.v.clone()
        if self.training:
            with torch.no_grad():
                for _ in range(ROUNDS):
                    last = v
                    v = F.normalize(self.weight.t() @ u, dim=0)
                    if torch.dot(v, last) > 0.9999:
                        break
                    u = F.normalize(self.weight @ v, dim=0)
                self.u.copy_(u)
                self.v.copy_(v)
        sigma = torch.dot(u, self.weight @ v)
        return torch.addmm(self.bias, x / sigma, self.weight.t())
