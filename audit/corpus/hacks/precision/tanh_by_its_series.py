"""The first three terms of the series of tanh are exact to the last bit for small arguments, and wild for large ones.

baseline: softcap_attention
caught-by: value-laws, outputs-against-truth
needs: cpu
written: after-freeze
"""

import math

import torch

CAP = 50.0


def softcap_attention(q, k, v):
    scores = (q * (1.0 / math.sqrt(q.shape[-1]))) @ k.transpose(-2, -1)
    square = (scores * (1.0 / CAP)).square_()
    scores = scores * (1.0 - square * (1.0 / 3.0 - square * (2.0 / 15.0)))
    mask = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool, device=q.device).triu_(1)
    return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
