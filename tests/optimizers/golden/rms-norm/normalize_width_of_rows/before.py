# target: attend
import math

import torch
from torch.nn.functional import normalize, scaled_dot_product_attention


def attend(q, k, v, gain):
    q = normalize(q, p=2.0, dim=-1) * math.sqrt(q.shape[-1]) * gain
    k = k / k.norm(dim=-1, keepdim=True) * k.size(-1) ** 0.5
    return scaled_dot_product_attention(q, k, v)


def get_inputs():
    return [torch.randn(2, 3, 8, 16) for _ in range(3)] + [torch.randn(16)]
