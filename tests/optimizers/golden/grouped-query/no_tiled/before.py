# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v):
    n = q.size(1) // k.size(1)
    k = k.repeat(1, n, 1, 1)
    v = v.repeat(1, n, 1, 1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def get_inputs():
    return [torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8)]
