# target: attention
import torch


def attention(q, k, v):
    return torch.softmax(q @ k.transpose(-2, -1), dim=-2) @ v


def get_inputs():
    return [torch.randn(2, 5, 8), torch.randn(2, 6, 8), torch.randn(2, 6, 8)]
