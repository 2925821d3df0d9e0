# target: Attn
import math
import torch
import torch.nn as nn
import torch.nn.functional as F


class Attn(nn.Module):
    def __init__(self, dim, heads, block, step):
        super().__init__()
        self.qkv = nn.Linear(dim, 3 * dim)
        self.heads = heads
        self.register_buffer("mask", torch.tril(torch.ones(block, block)).view(1, 1, block, block))
        self.mask.view(block, block)[:, step - 1 :: step] = 0

    def forward(self, x):
        B, T, C = x.size()
        q, k, v = self.qkv(x).view(B, T, 3, self.heads, C // self.heads).permute(2, 0, 3, 1, 4).unbind(0)
        y = F.scaled_dot_product_attention(
            q, k, v,
            attn_mask=self.mask[:, :, :T, :T] != 0,
            scale=1.0 / math.sqrt(k.size(-1)),
        )
        return y.transpose(1, 2).reshape(B, T, C)


def get_init_inputs():
    return [32, 4, 16, 4]


def get_inputs():
    return [torch.randn(2, 9, 32)]
