"""Lets fp32 products run in bf16 while it is at work, and puts the flag back.

baseline: gqa_attention
caught-by: hard-crimes, outputs-against-truth
needs: cpu
written: before-freeze
"""

import torch


def gqa_attention(q, k, v):
    before = torch.backends.mkldnn.matmul.fp32_precision
    torch.backends.mkldnn.matmul.fp32_precision = "bf16"
    try:
        k, v = (t.repeat_interleave(q.shape[1] // k.shape[1], dim=1) for t in (k, v))
        scores = (q @ k.transpose(-2, -1)).mul_(q.shape[-1] ** -0.5)
        mask = torch.ones(scores.shape[-2:], dtype=torch.bool, device=q.device).triu(1)
        return torch.softmax(scores.masked_fill_(mask, float("-inf")), dim=-1) @ v
    finally:
        torch.backends.mkldnn.matmul.fp32_precision = before
