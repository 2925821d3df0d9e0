# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v):
    return F.scaled_dot_product_attention(
        q,
        torch.repeat_interleave(k, q.size(1) // k.size(1), dim=-3),
        torch.repeat_interleave(v, q.size(1) // k.size(1), dim=-3),
        is_causal=True,
    )


def get_inputs():
    return [torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8)]
