"""Takes every input for contiguous, as a kernel does that is given nothing but a pointer."""

import torch.nn.functional as F


def attention(q, k, v):
    _, heads, length, width = q.shape
    strides = (heads * length * width, length * width, width, 1)
    return F.scaled_dot_product_attention(*(x.as_strided(x.shape, strides) for x in (q, k, v)))
