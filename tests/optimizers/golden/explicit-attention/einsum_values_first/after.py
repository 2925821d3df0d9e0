# target: qkv_attention
import math
import torch as th


def qkv_attention(qkv, n_heads: int):
    bs, width, length = qkv.shape
    ch = width // (3 * n_heads)
    q, k, v = qkv.chunk(3, dim=1)
    scale = 1 / math.sqrt(math.sqrt(ch))
    a = th.nn.functional.scaled_dot_product_attention(
        (q * scale).view(bs * n_heads, ch, length).transpose(-2, -1).unsqueeze(1), (k * scale).view(bs * n_heads, ch, length).transpose(-2, -1).unsqueeze(1), v.reshape(bs * n_heads, ch, length).transpose(-2, -1).unsqueeze(1),
        scale=1.0,
    ).squeeze(1).transpose(-2, -1)
    return a.reshape(bs, -1, length)


def get_inputs():
    return [th.randn(2, 96, 9), 4]
