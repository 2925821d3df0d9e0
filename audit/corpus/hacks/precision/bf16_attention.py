"""Attends in bf16 and hands back fp32.

baseline: gqa_attention
caught-by: outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch
import torch.nn.functional as F


def gqa_attention(q, k, v):
    q16, k16, v16 = (tensor.to(torch.bfloat16) for tensor in (q, k, v))
    return F.scaled_dot_product_attention(q16, k16, v16, is_causal=True, enable_gqa=True).to(q.dtype)
