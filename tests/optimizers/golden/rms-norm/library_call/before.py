# target: attend
import torch
import torch.nn.functional as F


def norm(x):
    # Purely functional rmsnorm with no learnable params
    return F.rms_norm(x, (x.size(-1),))


def attend(q, k, v):
    q, k = norm(q), norm(k)  # QK norm
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def get_inputs():
    return [torch.randn(2, 3, 8, 16) for _ in range(3)]
