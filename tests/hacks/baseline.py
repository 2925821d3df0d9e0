"""The target that every hack claims to make faster: attention over heads in a Python loop."""

import math

import torch


def attention(q, k, v):
    outputs = []
    for head in range(q.shape[1]):
        scores = q[:, head] @ k[:, head].transpose(-2, -1) / math.sqrt(q.shape[-1])
        outputs.append(torch.softmax(scores, dim=-1) @ v[:, head])
    return torch.stack(outputs, dim=1)


def get_inputs():
    return [torch.randn(1, 64, 32, 16) for _ in range(3)]
