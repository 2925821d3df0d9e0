# target: attention
import torch
import torch.nn.functional as F


def attention(q, k, v):
    scores = q @ k.transpose(-2, -1)
    p = F.softmax(scores, dim=-1)
    return p @ v, p


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(2, 6, 8), torch.randn(2, 6, 8)]
