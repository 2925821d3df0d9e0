# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v):
    n = q.shape[2]
    return F.scaled_dot_product_attention(q, k, v, is_causal=True, scale=0.3)


def get_inputs():
    return [torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)]
