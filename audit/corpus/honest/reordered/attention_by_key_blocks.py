"""Online softmax over blocks of keys, as flash attention does it.

baseline: softcap_attention
needs: cpu
written: before-freeze
"""

import torch

BLOCK = 64


def softcap_attention(q, k, v):
    length = k.shape[-2]
    rows = torch.arange(q.shape[-2], device=q.device)[:, None]
    top = torch.full_like(q[..., :1], float("-inf"))
    total = torch.zeros_like(top)
    out = torch.zeros_like(q)
    for start in range(0, length, BLOCK):
        keys, values = k[..., start : start + BLOCK, :], v[..., start : start + BLOCK, :]
        scores = 50.0 * torch.tanh(q @ keys.transpose(-2, -1) * (q.shape[-1] ** -0.5 / 50.0))
        columns = torch.arange(start, start + keys.shape[-2], device=q.device)
        scores = scores.masked_fill(columns > rows, float("-inf"))
        new_top = torch.maximum(top, scores.amax(dim=-1, keepdim=True))
        weights = torch.exp(scores - new_top)
        shrink = torch.exp(top - new_top)
        total = total * shrink + weights.sum(dim=-1, keepdim=True)
        out = out * shrink + weights @ values
        top = new_top
    return out / total
