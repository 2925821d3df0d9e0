"""Hands its work to a stream of its own, which nobody waits for.

baseline: gqa_attention
caught-by: settled-outputs
needs: cuda
written: before-freeze
"""

import torch
import torch.nn.functional as F

side = torch.cuda.Stream()


def gqa_attention(q, k, v):
    out = torch.empty_like(q)
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        out.copy_(F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True))
    return out
