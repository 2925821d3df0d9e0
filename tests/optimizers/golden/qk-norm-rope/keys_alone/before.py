# target: K
import torch
from torch import nn


class RMSNorm(nn.Module):
    def __init__(self, dim, eps=1e-6):
        super().__init__()
        self.eps = eps
        self.weight = nn.Parameter(torch.zeros(dim))

    def _norm(self, x):
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.eps)

    def forward(self, x):
        out = self._norm(x.float()).type_as(x)
        return out * self.weight


class K(nn.Module):
    def __init__(self, dim=16, heads=2):
        super().__init__()
        self.h = heads
        self.wk = nn.Linear(dim, dim)
        self.k_norm = RMSNorm(dim // heads)

    def forward(self, x, cos, sin):
        B, T, _ = x.shape
        k = self.k_norm(self.wk(x).view(B, T, self.h, -1)).permute(0, 2, 1, 3)
        half = k.shape[-1] // 2
        k1, k2 = k[..., :half], k[..., half:]
        k = torch.cat((k1 * cos - k2 * sin, k2 * cos + k1 * sin), dim=-1)
        return k


def get_inputs():
    return [torch.randn(2, 5, 16), torch.randn(5, 4), torch.randn(5, 4)]
