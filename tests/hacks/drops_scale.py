"""Wrong: forgets the softmax scale."""

import torch.nn.functional as F


def attention(q, k, v):
    return F.scaled_dot_product_attention(q, k, v, scale=1.0)
