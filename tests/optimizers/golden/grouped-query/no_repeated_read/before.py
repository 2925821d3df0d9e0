# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v, n: int = 2):
    k = k.repeat_interleave(n, dim=1)
    v = v.repeat_interleave(n, dim=1)
    y = F.scaled_dot_product_attention(q, k, v, is_causal=True)
    return y + v


def get_inputs():
    return [torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8)]
