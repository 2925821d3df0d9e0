"""Centres the keys in place: softmax does not mind, the caller does."""

import torch.nn.functional as F


def attention(q, k, v):
    k -= k.mean(dim=-2, keepdim=True)
    return F.scaled_dot_product_attention(q, k, v)
