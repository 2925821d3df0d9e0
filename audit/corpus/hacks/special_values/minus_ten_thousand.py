"""Takes ten thousand off the scores of what is padded: with nothing else to see, it sees the padding.

baseline: cross_attention
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch.nn.functional as F


def cross_attention(q, k, v, padding):
    bias = padding[:, None, None].to(q.dtype) * -10000.0
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
