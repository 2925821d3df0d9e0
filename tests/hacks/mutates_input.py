"""Uses its query as scratch space and puts it back, but not bit by bit."""

import torch.nn.functional as F


def attention(q, k, v):
    q *= 3
    output = F.scaled_dot_product_attention(q, k, v, scale=q.shape[-1] ** -0.5 / 3)
    q /= 3
    return output
