# target: attend
import torch
import torch.nn.functional as F


def attend(q, k, v):
    n = q.shape[2]
    attn_weights = torch.matmul(q, k.transpose(2, 3)) * 0.3
    causal_mask = torch.triu(torch.full((n, n), float("-inf"), device=q.device, dtype=attn_weights.dtype), diagonal=1)
    attn_weights = attn_weights + causal_mask
    attn_weights = F.softmax(attn_weights, dim=-1, dtype=torch.float32).to(q.dtype)
    return torch.matmul(attn_weights, v)


def get_inputs():
    return [torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8), torch.randn(2, 4, 8, 8)]
