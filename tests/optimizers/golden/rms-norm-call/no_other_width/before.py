# target: Norm
import torch
import torch.nn.functional as F
from torch import nn


class Norm(nn.Module):
    def __init__(self, dim, heads):
        super().__init__()
        self.scale = (dim // heads) ** 0.5
        self.root = dim**0.5
        self.g = nn.Parameter(torch.ones(dim))
        self.h = nn.Parameter(torch.ones(heads, 1, dim))

    def forward(self, x, eps=1e-6):
        dim = x.shape[1]
        a = F.normalize(x, dim=-1) * self.scale * self.g
        b = F.normalize(x, dim=-1) * self.root
        c = F.normalize(x, dim=1) * self.root * self.g
        d = F.normalize(x, dim=-1) * dim**0.5 * self.g
        e = F.normalize(x, p=1.0, dim=-1) * self.root * self.g
        f = F.normalize(x, dim=-1, eps=1e-5) * self.root * self.g
        g = x / (x.norm(dim=-1, keepdim=True) + eps) * self.root * self.g
        h = x / (x.norm(2, dim=-1, keepdim=True) * dim**-0.5 + eps) * self.g
        i = F.normalize(x, dim=-1) * self.root * self.h
        j = F.normalize(x, dim=-1) / self.root * self.g
        return a + b + c + d + e + f + g + h + i + j


def get_inputs():
    return [torch.randn(2, 5, 24)]
