# target: Attention
import torch
import torch.nn as nn


class Attention(nn.Module):
    def __init__(self, dim, num_heads=4, qk_norm=False):
        super().__init__()
        self.num_heads = num_heads
        self.head_dim = dim // num_heads
        self.scale = self.head_dim ** -0.5
        self.qkv = nn.Linear(dim, dim * 3)
        self.q_norm = nn.LayerNorm(self.head_dim) if qk_norm else nn.Identity()
        self.k_norm = nn.LayerNorm(self.head_dim) if qk_norm else nn.Identity()
        self.attn_drop = nn.Dropout(0.0)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x, attn_mask=None):
        B, N, C = x.shape
        qkv = self.qkv(x).reshape(B, N, 3, self.num_heads, self.head_dim).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        q, k = self.q_norm(q), self.k_norm(k)
        q = q * self.scale
        x = nn.functional.scaled_dot_product_attention(
            q, k, v,
            attn_mask=attn_mask.to(q.dtype) if attn_mask is not None else None,
            dropout_p=self.attn_drop.p if self.attn_drop.training else 0.0,
            scale=1.0,
        )
        x = x.transpose(1, 2).reshape(B, N, C)
        return self.proj(x)


def get_init_inputs():
    return [32]


def get_inputs():
    return [torch.randn(2, 9, 32)]
