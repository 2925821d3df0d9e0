# target: Attention
import torch
from torch import nn


class Attention(nn.Module):
    def __init__(self, dim, heads = 8, dim_head = 64, dropout = 0.):
        super().__init__()
        inner_dim = dim_head *  heads
        self.heads = heads
        self.scale = dim_head ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.attend = nn.Softmax(dim = -1)
        self.dropout = nn.Dropout(dropout)
        self.to_qkv = nn.Linear(dim, inner_dim * 3, bias = False)
        self.to_out = nn.Sequential(nn.Linear(inner_dim, dim), nn.Dropout(dropout))

    def forward(self, x):
        x = self.norm(x)
        b, n, _ = x.shape
        qkv = self.to_qkv(x).chunk(3, dim = -1)
        q, k, v = map(lambda t: t.reshape(b, n, self.heads, -1).transpose(1, 2), qkv)

        out = nn.functional.scaled_dot_product_attention(
            q, k, v,
            dropout_p=self.dropout.p if self.dropout.training else 0.0,
            scale=self.scale,
        )
        out = out.transpose(1, 2).reshape(b, n, -1)
        return self.to_out(out)


def get_init_inputs():
    return [24, 3, 8]


def get_inputs():
    return [torch.randn(2, 7, 24)]
