# target: Attention
import torch
import torch.nn.functional as F
from torch import nn


class HeadNorm(nn.Module):
    def __init__(self, width, eps=1e-6):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, states):
        kind = states.dtype
        states = states.to(torch.float32)
        variance = states.pow(2).mean(-1, keepdim=True)
        states = states * torch.rsqrt(variance + self.eps)
        return self.weight * states.to(kind)


def swap_halves(x):
    """The second half, negated, before the first."""
    first = x[..., : x.shape[-1] // 2]
    second = x[..., x.shape[-1] // 2 :]
    return torch.cat((-second, first), dim=-1)


def rotary(q, k, cos, sin, at=1):
    cos = cos.unsqueeze(at)
    sin = sin.unsqueeze(at)
    q_out = (q * cos) + (swap_halves(q) * sin)
    k_out = (k * cos) + (swap_halves(k) * sin)
    return q_out, k_out


class Attention(nn.Module):
    def __init__(self, width=32, heads=4, key_heads=2):
        super().__init__()
        self.size = width // heads
        self.q_proj = nn.Linear(width, heads * self.size, bias=False)
        self.k_proj = nn.Linear(width, key_heads * self.size, bias=False)
        self.v_proj = nn.Linear(width, key_heads * self.size, bias=False)
        self.q_norm = HeadNorm(self.size)
        self.k_norm = HeadNorm(self.size)

    def forward(self, states, position_embeddings):
        shape = (*states.shape[:-1], -1, self.size)
        # heads of queries, keys and values
        q = self.q_norm(self.q_proj(states).view(shape)).transpose(1, 2)
        k = self.k_norm(self.k_proj(states).view(shape)).transpose(1, 2)
        v = self.v_proj(states).view(shape).transpose(1, 2)

        cos, sin = position_embeddings.unbind(0)
        q, k = rotary(q, k, cos, sin)
        out = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
        return out.transpose(1, 2).reshape(*states.shape)


def get_inputs():
    return [torch.randn(2, 6, 32), torch.randn(2, 2, 6, 8)]
