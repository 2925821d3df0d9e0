# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v, gain):
    # QK-norm, each head by itself
    mean_square = (q * q).mean(dim=(-1,), keepdim=True)
    q = q * (mean_square + 1e-6).rsqrt()
    k = k * torch.rsqrt(k.pow(2).mean(-1, True) + 1e-6) * gain
    return F.scaled_dot_product_attention(q, k, v, is_causal=True)


def get_inputs():
    return [torch.randn(2, 3, 8, 16) for _ in range(3)] + [torch.randn(16)]
