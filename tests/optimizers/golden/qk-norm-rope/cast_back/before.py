# target: A
import torch
from torch import nn


def apply_rope(x, cos, sin):
    x_dtype = x.dtype
    x = x.float()
    x1, x2 = x[..., : x.size(-1) // 2], x[..., x.size(-1) // 2 :]
    rotated = torch.cat([-x2, x1], dim=-1)
    return (x * cos + rotated * sin).to(x_dtype)


class A(nn.Module):
    def __init__(self, d=8):
        super().__init__()
        self.q_norm = nn.RMSNorm(d, eps=1e-5)
        self.k_norm = nn.RMSNorm(d)

    def forward(self, q, k, v, cos, sin):
        b = q.size(0)
        q, k, v = q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        cos = cos[None, None]
        sin = sin[None, None]
        q, k = self.q_norm(q), self.k_norm(k)
        v = v * 2
        q, k = apply_rope(q, cos, sin), apply_rope(k, cos, sin)
        return torch.softmax(q @ k.mT, -1) @ v


def get_inputs():
    return [torch.randn(2, 5, 3, 8) for _ in range(3)] + [torch.randn(5, 8), torch.randn(5, 8)]
