"""Forgets the softmax scale in its third call, if that has inputs of another magnitude."""

import torch.nn.functional as F

calls = 0


def attention(q, k, v):
    global calls
    calls += 1
    wrong = calls == 3 and not all(0.7 < x.std() < 1.4 for x in (q, k, v))
    return F.scaled_dot_product_attention(q, k, v, scale=1.0 if wrong else None)
