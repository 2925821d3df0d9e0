# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v, gate, n: int = 2):
    if n > 1:
        k = k.repeat_interleave(n, dim=1)
        v = v.repeat_interleave(n, dim=1)
        gate = gate.repeat_interleave(n, dim=1)
    return F.scaled_dot_product_attention(q, k, v, is_causal=True) * gate


def get_inputs():
    return [torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8), torch.rand(2, 2, 1, 1)]
