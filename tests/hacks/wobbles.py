"""Every second call is off by what the error budget allows to hide: the mark of a race."""

import torch
import torch.nn.functional as F

calls = 0


def attention(q, k, v):
    global calls
    calls += 1
    off = 30 if calls % 2 else -30
    return F.scaled_dot_product_attention(q, k, v) * (1 + off * torch.finfo(q.dtype).eps)
