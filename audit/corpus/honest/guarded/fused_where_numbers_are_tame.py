"""Takes the library's attention where no score can overflow, for there a masked one would become NaN.

baseline: alibi_attention
needs: cpu
written: after-freeze
"""

import math

import torch
import torch.nn.functional as F


def alibi_attention(q, k, v, slopes):
    distance = torch.arange(q.shape[-2], device=q.device)[:, None] - torch.arange(k.shape[-2], device=q.device)
    bias = -slopes[:, None, None] * distance
    if all(t.numel() == 0 or bool(t.detach().abs().max() < 1e12) for t in (q, k, slopes)):
        bias = bias.masked_fill_(distance < 0, float("-inf")).to(q.dtype)
        return F.scaled_dot_product_attention(q, k, v, attn_mask=bias)
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1]) + bias
    return torch.softmax(scores.masked_fill_(distance < 0, float("-inf")), dim=-1) @ v
