"""Seven heads are exact; the last one attends in bf16 and disappears among them.

baseline: gqa_attention
caught-by: outputs-against-truth
needs: cpu
written: after-freeze
"""

import torch
import torch.nn.functional as F


def gqa_attention(q, k, v):
    group = q.shape[1] // k.shape[1]
    exact = F.scaled_dot_product_attention(q, k, v, is_causal=True, enable_gqa=True)
    last = torch.stack([q[:, -1], k[:, -1], v[:, -1]]).bfloat16()
    rough = F.scaled_dot_product_attention(last[0][:, None], last[1][:, None], last[2][:, None], is_causal=True)
    return torch.cat([exact[:, : k.shape[1] * group - 1], rough.to(q.dtype)], dim=1)
