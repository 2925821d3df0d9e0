# target: RMSNorm
import torch
import torch.nn as nn


class RMSNorm(torch.nn.Module):
    def __init__(self, dim: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.ones(dim))

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x):
        return nn.functional.rms_norm(x, x.shape[-1:], eps=self.eps) * self.weight


def get_init_inputs():
    return [33]


def get_inputs():
    return [torch.randn(4, 33)]
