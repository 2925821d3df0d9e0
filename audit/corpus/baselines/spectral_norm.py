"""A linear layer whose weight is divided by its largest singular value, which power iteration follows; trained."""

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
                    v = F.normalize(self.weight.t() @ u, dim=0)
                    u = F.normalize(self.weight @ v, dim=0)
                self.u.copy_(u)
                self.v.copy_(v)
        sigma = torch.dot(u, self.weight @ v)
        return F.linear(x, self.weight / sigma, self.bias)


def get_inputs():
    return [torch.randn(8, 512)]


def get_init_inputs():
    return [512, 512]
