# target: qkv_attention
import math
import torch as th


def qkv_attention(qkv, n_heads: int):
    bs, width, length = qkv.shape
    ch = width // (3 * n_heads)
    q, k, v = qkv.chunk(3, dim=1)
    scale = 1 / math.sqrt(math.sqrt(ch))
    weight = th.einsum(
        "bct,bcs->bts",
        (q * scale).view(bs * n_heads, ch, length),
        (k * scale).view(bs * n_heads, ch, length),
    )
    weight = th.softmax(weight.float(), dim=-1).type(weight.dtype)
    a = th.einsum("bts,bcs->bct", weight, v.reshape(bs * n_heads, ch, length))
    return a.reshape(bs, -1, length)


def get_inputs():
    return [th.randn(2, 96, 9), 4]
