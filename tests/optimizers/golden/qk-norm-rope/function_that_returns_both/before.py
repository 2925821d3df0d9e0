# target: scores
import torch


def rotate_half(x):
    a, b = x.chunk(2, -1)
    return torch.cat((-b, a), -1)


def heads(q, k, q_weight, k_weight, cos, sin, eps=1e-6):
    # normalise each head, then turn it
    q = q_weight * (q * torch.rsqrt(q.pow(2).mean(-1, keepdim=True) + eps))
    variance = k.pow(2).mean(-1, keepdim=True)
    k = k * torch.rsqrt(variance + eps)
    k = k_weight * k
    q = q.transpose(1, 2)
    k = k.transpose(1, 2)
    return (q * cos) + (rotate_half(q) * sin), (k * cos) + (rotate_half(k) * sin)


def scores(q, k, q_weight, k_weight, cos, sin):
    q, k = heads(q, k, q_weight, k_weight, cos, sin)
    return q @ k.repeat_interleave(2, dim=1).mT


def get_inputs():
    return [torch.randn(2, 5, 4, 8), torch.randn(2, 5, 2, 8), torch.randn(8), torch.randn(8), torch.randn(5, 8), torch.randn(5, 8)]
