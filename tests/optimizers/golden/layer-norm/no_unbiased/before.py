# target: LayerNorm
import torch
from torch import nn


class LayerNorm(nn.Module):
    def __init__(self, features, eps=1e-6):
        super().__init__()
        self.a_2 = nn.Parameter(torch.ones(features))
        self.b_2 = nn.Parameter(torch.zeros(features))
        self.eps = eps

    def forward(self, x):
        mean = x.mean(-1, keepdim=True)
        first = (x - mean) / torch.sqrt(x.var(-1, keepdim=True) + self.eps)
        second = (x - mean) / torch.sqrt(x.var(-1, keepdim=True, unbiased=True) + self.eps)
        third = (x - mean) / torch.sqrt(torch.var(x, -1, keepdim=True, correction=1) + self.eps)
        return self.a_2 * (first + second + third) + self.b_2


def get_inputs():
    return [torch.randn(2, 16)]
