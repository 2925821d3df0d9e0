"""Takes |W v| for the singular value, as it is after an iteration; in evaluation the stored u may be another.

baseline: spectral_norm
caught-by: evaluation-mode, other-uses, outputs-against-truth
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
        v = self.v.clone()
        if self.training:
            with torch.no_grad():
                u = self.u
                for _ in range(ROUNDS - 1):
                    u = F.normalize(torch.mv(self.weight, torch.mv(self.weight.t(), u)), dim=0)
                v = F.normalize(torch.mv(self.weight.t(), u), dim=0)
        image = torch.mv(self.weight, v)
        sigma = image.norm()
        if self.training:
            with torch.no_grad():
                torch.div(image, sigma, out=self.u)
                self.v.copy_(v)
        return F.linear(x, self.weight).div(sigma).add(self.bias)
