# target: SelfAttention
import torch
import torch.nn.functional as F
from torch import nn


def norm(x):
    return F.rms_norm(x, (x.size(-1),))


class Tables(nn.Module):
    def __init__(self, width, length=32):
        super().__init__()
        angles = torch.arange(length)[:, None] / 100 ** torch.linspace(0, 1, width // 2)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, x):
        assert x.ndim == 4
        cos, sin = self.cos[None, : x.size(1), None], self.sin[None, : x.size(1), None]
        one, two = x.float().chunk(2, dim=-1)
        return torch.cat((one * cos + two * sin, one * (-sin) + two * cos), 3).type_as(x)


class SelfAttention(nn.Module):
    def __init__(self, width=24, heads=3):
        super().__init__()
        self.heads = heads
        self.c_attn = nn.Linear(width, 3 * width, bias=False)
        self.tables = Tables(width // heads)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.c_attn(x).view(batch, length, 3 * self.heads, -1).chunk(3, dim=2)
        q, k = norm(q), norm(k)  # QK norm
        q, k = self.tables(q), self.tables(k)
        y = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), is_causal=True)
        return y.transpose(1, 2).reshape(batch, length, width)


def get_inputs():
    return [torch.randn(2, 7, 24)]
