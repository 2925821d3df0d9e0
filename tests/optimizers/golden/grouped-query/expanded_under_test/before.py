# target: attend
import torch
from torch.nn.functional import scaled_dot_product_attention as sdpa


def attend(q, k, v):
    b, heads, t, d = q.shape
    groups = heads // k.shape[1]
    if groups > 1:  # shared by the heads of a group
        k = k.unsqueeze(2).expand(-1, -1, groups, -1, -1).reshape(b, heads, t, d)
        v = v.unsqueeze(2).expand(-1, -1, groups, -1, -1).reshape(b, heads, t, d)
    return sdpa(q, k, v, attn_mask=None, is_causal=True)


def get_inputs():
    return [torch.randn(2, 4, 9, 8), torch.randn(2, 2, 9, 8), torch.randn(2, 2, 9, 8)]
