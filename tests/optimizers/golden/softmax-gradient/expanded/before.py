# target: Router
import torch
from torch import nn


class Router(nn.Module):
    def forward(self, upstream, chosen):
        total = torch.sum(chosen * upstream, 1, keepdim=True)
        return chosen.mul(upstream) - total * chosen


def get_inputs():
    return [torch.randn(5, 7), torch.rand(5, 7)]
